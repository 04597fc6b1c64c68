use jobs_runtime::prelude::*;

#[job(retry(attempts = 0, fixed = "1s", jitter = 10))]
async fn notify() {}

fn main() {}
