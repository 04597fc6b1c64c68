use jobs_runtime::prelude::*;

#[job(retention = "7d")]
async fn notify() {}

#[job(retention(enqueued = "7d", failed = "week"))]
async fn remind() {}

fn main() {}
