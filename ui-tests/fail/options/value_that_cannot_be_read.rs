use jobs_runtime::prelude::*;

#[job(retry[attempts = 3])]
async fn notify() {}

fn main() {}
