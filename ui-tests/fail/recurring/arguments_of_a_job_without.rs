use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(days = 7))]
async fn digest(_cx: JobContext) {}

fn main() {}
