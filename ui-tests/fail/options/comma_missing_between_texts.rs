use jobs_runtime::prelude::*;

#[job(aliases("post" "tell"))]
async fn notify() {}

fn main() {}
