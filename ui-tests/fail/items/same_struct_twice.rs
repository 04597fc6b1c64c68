use jobs_runtime::prelude::*;

#[job]
async fn send() {}

struct Send;

fn main() {}
