use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", args(cx = 1, mailer = 2, days = 7))]
async fn digest(_cx: JobContext, _mailer: Data<u8>, _days: u32) {}

fn main() {}
