use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", misfire = Misfire::Strict)]
async fn digest() {}

fn main() {}
