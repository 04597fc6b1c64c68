use jobs_runtime::prelude::*;

#[job(priority = 40_000)]
async fn notify() {}

fn main() {}
