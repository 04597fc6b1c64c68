use jobs_runtime::prelude::*;

trait Notifier {
    #[job]
    fn notify(number: u8);
}

fn main() {}
