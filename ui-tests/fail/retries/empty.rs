use jobs_runtime::prelude::*;

#[job(retry())]
async fn notify() {}

fn main() {}
