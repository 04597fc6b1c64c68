use jobs_runtime::prelude::*;

#[recurring(cron = "0 9 * * *")]
#[job]
#[recurring(cron = "0 18 * * *")]
async fn digest() {}

fn main() {}
