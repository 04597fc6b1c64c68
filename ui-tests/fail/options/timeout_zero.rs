use jobs_runtime::prelude::*;

#[job(timeout = "0s")]
async fn send() {}

fn main() {}
