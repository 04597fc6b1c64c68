use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(regoin = "eu", days = 7))]
async fn digest(_cx: JobContext, _region: String, _days: u32) {}

fn main() {}
