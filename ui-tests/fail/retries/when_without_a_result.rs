use jobs_runtime::prelude::*;

fn is_transient(_: &std::io::Error) -> bool {
    true
}

#[job(retry(when = is_transient))]
async fn notify() {}

fn main() {}
