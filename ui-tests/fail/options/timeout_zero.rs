use jobs_runtime::prelude::*;

#[job(timeout = "0s")]
async fn notify() {}

fn main() {}
