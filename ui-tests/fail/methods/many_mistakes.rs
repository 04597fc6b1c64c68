use jobs_runtime::prelude::*;

pub struct Mailer;

#[jobs(queue = "mail")]
impl Mailer {
    #[job(queue = "Mail")]
    async fn notify(&self, email: &str) {
        let _ = email;
    }

    #[job = "mail"]
    #[job]
    async fn send_again(&self) {}

    #[job]
    async fn right(&self, count: u8) -> u8 {
        count
    }
}

fn main() {
    let _ = Notify::enqueue("a");
    let _ = SendAgain::enqueue();
    assert_eq!(Right::new(1).count, 1);
}
