use jobs_runtime::prelude::*;

#[job(crate = "jobs runtime")]
async fn notify() {}

fn main() {}
