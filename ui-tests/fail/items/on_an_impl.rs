use jobs_runtime::prelude::*;

struct Mailer;

#[job]
impl Mailer {
    fn send(&self) {}
}

fn main() {
    Mailer.send();
}
