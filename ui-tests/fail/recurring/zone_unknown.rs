use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", tz = "Asia/Shangai")]
async fn digest() {}

fn main() {}
