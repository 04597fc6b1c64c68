use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", colour = "red")]
async fn digest() {}

fn main() {}
