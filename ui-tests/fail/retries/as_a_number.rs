use jobs_runtime::prelude::*;

#[job(retry = 5)]
async fn send() {}

fn main() {}
