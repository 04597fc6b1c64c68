use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 9 * *")]
async fn digest() {}

fn main() {}
