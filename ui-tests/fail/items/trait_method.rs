use jobs_runtime::prelude::*;

trait Send {
    #[job]
    fn send(number: u8);
}

fn main() {}
