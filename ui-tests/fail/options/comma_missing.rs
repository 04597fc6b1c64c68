use jobs_runtime::prelude::*;

#[job(queue = "mail" retry(attempts = 5) timeout = "30s")]
async fn notify() {}

fn main() {}
