use jobs_runtime::prelude::*;

pub struct Mailer;

#[jobs]
impl Mailer {
    #[job]
    async fn notify(&self) {}

    #[recurring(cron = "@daily")]
    async fn digest(&self) {}
}

fn main() {}
