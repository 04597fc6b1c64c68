use jobs_runtime::prelude::*;

#[job(aliases = "post")]
async fn send() {}

fn main() {}
