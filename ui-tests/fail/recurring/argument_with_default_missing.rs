use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(region = "eu"))]
async fn digest(_region: String, #[serde(default)] _days: u32) {}

fn main() {}
