use jobs_runtime::prelude::*;

#[job(retry(exponential = "1s", factor = 1))]
async fn notify() {}

fn main() {}
