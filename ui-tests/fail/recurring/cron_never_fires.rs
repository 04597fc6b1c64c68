use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 0 31 2 *")]
async fn digest() {}

fn main() {}
