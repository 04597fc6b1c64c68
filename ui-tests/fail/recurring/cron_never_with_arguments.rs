use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = Cron::never("by hand"))]
async fn digest() {}

fn main() {}
