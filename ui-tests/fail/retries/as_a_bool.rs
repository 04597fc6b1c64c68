use jobs_runtime::prelude::*;

#[job(retry = false)]
async fn notify() {}

fn main() {}
