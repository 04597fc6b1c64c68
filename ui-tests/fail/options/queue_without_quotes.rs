use jobs_runtime::prelude::*;

#[job(queue = mail)]
async fn send() {}

fn main() {}
