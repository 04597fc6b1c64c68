use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(colour = "red"))]
async fn digest(_region: String) {}

fn main() {}
