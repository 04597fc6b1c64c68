use jobs_runtime::prelude::*;

#[job(queue = "mail", priority = 1, queue = "bulk")]
async fn send() {}

fn main() {}
