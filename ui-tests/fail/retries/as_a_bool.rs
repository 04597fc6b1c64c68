use jobs_runtime::prelude::*;

#[job(retry = false)]
async fn send() {}

fn main() {}
