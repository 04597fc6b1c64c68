use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(region = "eu"))]
async fn digest(_region: String, _days: u32, _emails: Vec<String>) {}

fn main() {}
