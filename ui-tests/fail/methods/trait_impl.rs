use jobs_runtime::prelude::*;

pub struct Mailer;

trait Deliver {
    fn deliver(&self, count: u8);
}

#[jobs]
impl Deliver for Mailer {
    #[job]
    fn deliver(&self, count: u8) {
        let _ = count;
    }
}

fn main() {
    Mailer.deliver(1);
}
