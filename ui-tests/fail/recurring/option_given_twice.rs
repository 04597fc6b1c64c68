use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", cron = "@hourly")]
async fn digest() {}

fn main() {}
