use jobs_runtime::prelude::*;

#[job(cron = "0 9 * * *", tz = "UTC")]
async fn digest() {}

fn main() {}
