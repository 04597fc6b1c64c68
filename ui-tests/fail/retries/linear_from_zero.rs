use jobs_runtime::prelude::*;

#[job(retry(linear = "0s"))]
async fn notify() {}

fn main() {}
