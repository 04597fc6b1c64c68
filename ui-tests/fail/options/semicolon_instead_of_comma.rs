use jobs_runtime::prelude::*;

#[job(queue = "mail"; priority = 5)]
async fn notify() {}

fn main() {}
