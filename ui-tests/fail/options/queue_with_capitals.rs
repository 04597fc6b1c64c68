use jobs_runtime::prelude::*;

#[job(queue = "Bulk Mail")]
async fn send() {}

fn main() {}
