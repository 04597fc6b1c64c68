use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", overlap = false)]
async fn digest() {}

fn main() {}
