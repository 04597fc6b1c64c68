use jobs_runtime::prelude::*;

#[job(timeout = "1h 30")]
async fn send() {}

fn main() {}
