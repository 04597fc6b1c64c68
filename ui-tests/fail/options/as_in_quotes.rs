use jobs_runtime::prelude::*;

#[job(as = "Mail")]
async fn notify() {}

fn main() {}
