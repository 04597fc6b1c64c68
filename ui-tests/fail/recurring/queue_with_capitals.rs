use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", queue = "Reports")]
async fn digest() {}

fn main() {}
