use jobs_runtime::prelude::*;

#[job(retry(max = "1h"))]
async fn notify() {}

fn main() {}
