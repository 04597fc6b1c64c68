use jobs_runtime::prelude::*;

#[job(as = "Mail")]
async fn send() {}

fn main() {}
