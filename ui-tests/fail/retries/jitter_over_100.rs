use jobs_runtime::prelude::*;

#[job(retry(jitter = 150))]
async fn send() {}

fn main() {}
