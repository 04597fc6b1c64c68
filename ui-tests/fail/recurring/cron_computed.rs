use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = Cron::daily(9, 30))]
async fn digest() {}

fn main() {}
