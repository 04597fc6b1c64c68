use jobs_runtime::prelude::*;

#[job(retry(delays = [1, 5]))]
async fn send() {}

fn main() {}
