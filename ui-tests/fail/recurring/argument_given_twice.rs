use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(days = 7, days = 8))]
async fn digest(_days: u32) {}

fn main() {}
