use jobs_runtime::prelude::*;

#[job(aliases("send", "post", "post"))]
async fn send() {}

fn main() {}
