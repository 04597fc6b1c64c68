use jobs_runtime::prelude::*;

#[job(timeout = 30)]
async fn notify() {}

fn main() {}
