use std::sync::Arc;

use jobs_runtime::prelude::*;

pub struct Mailer;

#[jobs]
impl Mailer {
    #[job]
    async fn consume(self) {}

    #[job]
    async fn change(&mut self) {}

    #[job]
    async fn shared(self: Arc<Self>) {}
}

fn main() {
    let _ = Mailer.consume();
    let _ = Consume::enqueue();
}
