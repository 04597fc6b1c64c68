use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", timezone = "Asia/Shanghai")]
async fn digest() {}

#[job]
#[recurring(every = "5m")]
async fn poll() {}

fn main() {}
