use jobs_runtime::prelude::*;

#[job(queue = "Bulk Mail")]
async fn notify() {}

fn main() {}
