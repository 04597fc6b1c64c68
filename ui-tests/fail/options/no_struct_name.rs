use jobs_runtime::prelude::*;

#[job]
async fn self_() {}

fn main() {}
