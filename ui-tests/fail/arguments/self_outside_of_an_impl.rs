use jobs_runtime::prelude::*;

struct Mailer;

impl Mailer {
    #[job]
    async fn notify(&self, count: u8) {
        let _ = count;
    }
}

fn main() {
    let _ = Mailer.notify(1);
}
