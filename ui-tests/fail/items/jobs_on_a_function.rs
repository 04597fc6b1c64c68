use jobs_runtime::prelude::*;

#[jobs]
async fn send() {}

fn main() {}
