use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(days = load().await))]
async fn digest(_days: u32) {}

async fn load() -> u32 {
    7
}

fn main() {}
