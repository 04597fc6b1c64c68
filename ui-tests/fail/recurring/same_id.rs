use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 9 * * *", id = "digest")]
#[recurring(cron = "0 18 * * *", id = "digest")]
async fn digest() {}

fn main() {}
