use jobs_runtime::prelude::*;

#[job(queue = "mail", priority = 1, queue = "bulk")]
async fn notify() {}

fn main() {}
