use jobs_runtime::prelude::*;

struct Mailer;

#[recurring(cron = "@daily")]
#[jobs]
impl Mailer {
    #[job]
    async fn digest(&self) {}
}

fn main() {}
