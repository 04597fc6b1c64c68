use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", max_missed = 10)]
async fn digest() {}

fn main() {}
