use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(region = REGION, days = days()))]
async fn digest(_region: String, _days: u32) {}

fn main() {}
