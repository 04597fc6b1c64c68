use jobs_runtime::prelude::*;

#[job(priority = "high")]
async fn send() {}

fn main() {}
