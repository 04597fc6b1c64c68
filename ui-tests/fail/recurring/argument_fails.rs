use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(days = "7".parse()?))]
async fn digest(_days: u32) {}

fn main() {}
