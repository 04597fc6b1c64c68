use jobs_runtime::prelude::*;

#[job(retry(fixed = "1s", linear = "5s"))]
async fn notify() {}

fn main() {}
