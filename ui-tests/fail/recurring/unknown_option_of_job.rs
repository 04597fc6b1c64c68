use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", name = "digest", priority = 5, retry(attempts = 3), timeout = "30s")]
async fn digest() {}

fn main() {}
