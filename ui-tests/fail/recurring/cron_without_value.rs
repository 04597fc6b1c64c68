use jobs_runtime::prelude::*;

#[job]
#[recurring(cron)]
async fn digest() {}

fn main() {}
