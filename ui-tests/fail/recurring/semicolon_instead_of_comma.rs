use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 9 * * *"; tz = "UTC", args(region = "eu"; days = 7))]
async fn digest(_region: String, _days: u32) {}

fn main() {}
