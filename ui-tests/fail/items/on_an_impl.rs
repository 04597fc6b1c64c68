use jobs_runtime::prelude::*;

struct Mailer;

#[job]
impl Mailer {
    fn notify(&self) {}
}

fn main() {
    Mailer.notify();
}
