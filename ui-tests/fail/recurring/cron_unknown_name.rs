use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 9 * * MON-FRY")]
async fn digest() {}

fn main() {}
