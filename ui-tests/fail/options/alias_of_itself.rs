use jobs_runtime::prelude::*;

#[job(aliases("notify", "post", "post"))]
async fn notify() {}

fn main() {}
