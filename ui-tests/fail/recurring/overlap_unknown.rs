use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", overlap = "skipp")]
async fn digest() {}

fn main() {}
