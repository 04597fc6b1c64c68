use jobs_runtime::prelude::*;

struct Mailer;

impl Mailer {
    #[job]
    async fn send(&self, count: u8) {
        let _ = count;
    }
}

fn main() {
    let _ = Mailer.send(1);
}
