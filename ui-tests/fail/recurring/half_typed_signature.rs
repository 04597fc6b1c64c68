use jobs_runtime::prelude::*;

#[recurring(cron = "@daily")]
#[job]
async fn digest(days: ) {}

#[job]
#[recurring(cron = "@daily")]
async fn report(days: ) {}

fn main() {}
