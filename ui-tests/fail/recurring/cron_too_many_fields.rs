use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 0 9 * * MON 2027")]
async fn digest() {}

fn main() {}
