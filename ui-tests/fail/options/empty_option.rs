use jobs_runtime::prelude::*;

#[job(queue = "mail",, priority = 1)]
async fn notify() {}

fn main() {}
