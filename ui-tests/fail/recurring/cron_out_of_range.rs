use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 25 * * *")]
async fn digest() {}

fn main() {}
