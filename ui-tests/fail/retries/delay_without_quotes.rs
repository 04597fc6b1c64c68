use jobs_runtime::prelude::*;

#[job(retry(delays = [1, 5]))]
async fn notify() {}

fn main() {}
