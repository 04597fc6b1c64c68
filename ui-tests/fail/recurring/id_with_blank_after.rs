use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", id = "digest ")]
async fn digest() {}

fn main() {}
