use jobs_runtime::prelude::*;

#[job(retry(exponential = "1h", max = "30m"))]
async fn notify() {}

fn main() {}
