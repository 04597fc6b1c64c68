use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 9 * * ? 2027")]
async fn digest() {}

fn main() {}
