use jobs_runtime::prelude::*;

#[job(retry(delays = []))]
async fn notify() {}

fn main() {}
