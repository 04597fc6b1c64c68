use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@reboot")]
async fn digest() {}

fn main() {}
