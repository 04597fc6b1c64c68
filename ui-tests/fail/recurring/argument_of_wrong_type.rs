use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(region = 7, days = "7", emails = vec![1]))]
async fn digest(_region: String, _days: u32, _emails: Vec<String>) {}

fn main() {}
