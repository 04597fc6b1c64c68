use jobs_runtime::prelude::*;

#[job(retry(delays = []))]
async fn send() {}

fn main() {}
