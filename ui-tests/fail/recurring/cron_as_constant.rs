use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = EVERY_DAY)]
async fn digest() {}

fn main() {}
