use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", tz = "GMT+8")]
async fn digest() {}

fn main() {}
