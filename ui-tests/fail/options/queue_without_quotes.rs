use jobs_runtime::prelude::*;

#[job(queue = mail)]
async fn notify() {}

fn main() {}
