use jobs_runtime::prelude::*;

#[job(aliases = "post")]
async fn notify() {}

fn main() {}
