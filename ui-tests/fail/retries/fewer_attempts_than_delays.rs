use jobs_runtime::prelude::*;

#[job(retry(delays = ["1s", "5s", "1m"], attempts = 2))]
async fn notify() {}

fn main() {}
