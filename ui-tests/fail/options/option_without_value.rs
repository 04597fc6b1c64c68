use jobs_runtime::prelude::*;

#[job(queue)]
async fn notify() {}

fn main() {}
