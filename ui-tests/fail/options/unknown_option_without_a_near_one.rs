use jobs_runtime::prelude::*;

#[job(colour = "red")]
async fn notify() {}

fn main() {}
