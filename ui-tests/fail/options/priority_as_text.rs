use jobs_runtime::prelude::*;

#[job(priority = "high")]
async fn notify() {}

fn main() {}
