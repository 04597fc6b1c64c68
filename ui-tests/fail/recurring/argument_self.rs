use jobs_runtime::prelude::*;

pub struct Mailer;

#[jobs]
impl Mailer {
    #[job]
    #[recurring(cron = "@daily", args(self = Mailer, days = 7))]
    async fn digest(&self, _days: u32) {}
}

fn main() {}
