use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args = 7)]
async fn digest(_days: u32) {}

fn main() {}
