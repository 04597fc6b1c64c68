use jobs_runtime::prelude::*;

#[job(retry(delays = ["1s" "5s"]))]
async fn notify() {}

fn main() {}
