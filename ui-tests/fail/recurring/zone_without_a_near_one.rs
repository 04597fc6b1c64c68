use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", tz = "CST")]
async fn digest() {}

fn main() {}
