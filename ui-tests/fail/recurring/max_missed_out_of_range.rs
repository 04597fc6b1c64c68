use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", misfire = "strict", max_missed = 0)]
async fn digest() {}

fn main() {}
