use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "0 9 * * *" tz = "UTC")]
async fn digest() {}

#[job]
#[recurring(cron = Cron::never(), args(days = 7) id = "report")]
async fn report(_days: u32) {}

fn main() {}
