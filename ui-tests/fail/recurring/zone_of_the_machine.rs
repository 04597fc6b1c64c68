use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", tz = "Local")]
async fn digest() {}

fn main() {}
