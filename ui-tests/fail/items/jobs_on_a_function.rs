use jobs_runtime::prelude::*;

#[jobs]
async fn notify() {}

fn main() {}
