use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", misfire = "Strickt")]
async fn digest() {}

fn main() {}
