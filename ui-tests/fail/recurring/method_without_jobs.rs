use jobs_runtime::prelude::*;

pub struct Mailer;

impl Mailer {
    #[recurring(cron = "@daily")]
    #[job]
    async fn digest(&self) {}

    #[recurring(cron = "@daily")]
    async fn report(&self) {}
}

fn main() {}
