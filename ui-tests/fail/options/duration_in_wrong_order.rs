use jobs_runtime::prelude::*;

#[job(timeout = "30s 5m")]
async fn notify() {}

fn main() {}
