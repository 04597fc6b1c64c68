use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = 5)]
async fn digest() {}

fn main() {}
