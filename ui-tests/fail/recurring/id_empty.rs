use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", id = "")]
async fn digest() {}

fn main() {}
