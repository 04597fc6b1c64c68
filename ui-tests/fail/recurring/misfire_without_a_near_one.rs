use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", misfire = "all")]
async fn digest() {}

fn main() {}
