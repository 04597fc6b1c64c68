use jobs_runtime::prelude::*;

#[job(timeout = "1h 30")]
async fn notify() {}

fn main() {}
