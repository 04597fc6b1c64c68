use jobs_runtime::prelude::*;

#[job(retry(jitter = 150))]
async fn notify() {}

fn main() {}
