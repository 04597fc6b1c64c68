use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", id = "digest\tcn")]
async fn digest() {}

fn main() {}
