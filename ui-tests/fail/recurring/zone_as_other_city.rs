use jobs_runtime::prelude::*;

#[job]
#[recurring(id = "cn", cron = "@daily", tz = "Asia/Beijing")]
#[recurring(id = "de", cron = "@daily", tz = "Europe/Frankfurt")]
#[recurring(id = "fr", cron = "@daily", tz = "Europe/Nice")]
async fn digest() {}

fn main() {}
