use jobs_runtime::prelude::*;

#[job(colour = "red")]
async fn send() {}

fn main() {}
