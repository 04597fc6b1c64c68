use jobs_runtime::prelude::*;

#[recurring(cron = "@daily")]
#[recurring(cron = "@hourly")]
async fn digest() {}

fn main() {}
