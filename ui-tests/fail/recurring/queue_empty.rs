use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", queue = "")]
async fn digest() {}

fn main() {}
