use jobs_runtime::prelude::*;

#[job(retry(attempts = -1))]
async fn send() {}

fn main() {}
