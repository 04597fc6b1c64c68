use jobs_runtime::prelude::*;

#[job(retry = 5)]
async fn notify() {}

fn main() {}
