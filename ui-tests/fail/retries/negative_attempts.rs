use jobs_runtime::prelude::*;

#[job(retry(attempts = -1))]
async fn notify() {}

fn main() {}
