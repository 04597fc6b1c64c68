use jobs_runtime::prelude::*;

#[job]
#[recurring(id = "a", cron = "5m")]
#[recurring(id = "b", cron = "every 5 minutes")]
#[recurring(id = "c", cron = "daily")]
#[recurring(id = "d", cron = "9:30")]
#[recurring(id = "e", cron = "every now and then")]
async fn digest() {}

fn main() {}
