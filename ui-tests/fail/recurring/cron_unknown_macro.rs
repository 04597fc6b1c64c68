use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@dayly")]
async fn digest() {}

fn main() {}
