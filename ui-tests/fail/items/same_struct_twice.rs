use jobs_runtime::prelude::*;

#[job]
async fn notify() {}

struct Notify;

fn main() {}
