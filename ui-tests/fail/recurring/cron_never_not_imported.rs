use jobs_runtime::{job, recurring};

#[job]
#[recurring(cron = schedules::Cron::never())]
async fn digest() {}

#[job]
#[recurring(cron = Cron::never())]
async fn report() {}

fn main() {}
