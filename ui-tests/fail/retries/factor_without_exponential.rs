use jobs_runtime::prelude::*;

#[job(retry(fixed = "1s", factor = 3))]
async fn notify() {}

fn main() {}
