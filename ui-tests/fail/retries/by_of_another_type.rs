use jobs_runtime::prelude::*;

fn delay(_: u64) -> u64 {
    1
}

#[job(retry(by = delay))]
async fn notify() {}

#[job(retry(by = delay, fixed = "1s", on_exceeded = "drop"))]
async fn remind() {}

fn main() {}
