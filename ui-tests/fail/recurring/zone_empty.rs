use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", tz = "")]
async fn digest() {}

fn main() {}
