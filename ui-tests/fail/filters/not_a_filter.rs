use jobs_runtime::prelude::*;

struct Audit;

#[job(filters(Audit))]
async fn notify() {}

fn main() {}
