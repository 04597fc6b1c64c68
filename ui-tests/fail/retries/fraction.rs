use jobs_runtime::prelude::*;

#[job(retry(fixed = "1.5s"))]
async fn notify() {}

fn main() {}
