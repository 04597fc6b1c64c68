use jobs_runtime::prelude::*;

#[job(retry)]
async fn send() {}

fn main() {}
