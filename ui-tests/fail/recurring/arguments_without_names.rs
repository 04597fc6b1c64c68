use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args("eu", 7))]
async fn digest(_region: String, _days: u32) {}

fn main() {}
