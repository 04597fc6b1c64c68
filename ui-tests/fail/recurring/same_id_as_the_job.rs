use jobs_runtime::prelude::*;

#[job(name = "mail.digest")]
#[recurring(cron = "0 9 * * *")]
#[recurring(cron = "0 18 * * *", id = "mail.digest")]
async fn digest() {}

fn main() {}
