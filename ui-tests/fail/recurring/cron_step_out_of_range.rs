use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "*/90 * * * *")]
async fn digest() {}

fn main() {}
