use jobs_runtime::prelude::*;

#[job(queue)]
async fn send() {}

fn main() {}
