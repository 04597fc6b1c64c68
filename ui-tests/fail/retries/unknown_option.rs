use jobs_runtime::prelude::*;

#[job(retry(atempts = 3))]
async fn notify() {}

fn main() {}
