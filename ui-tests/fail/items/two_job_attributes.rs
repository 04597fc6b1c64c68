use jobs_runtime::prelude::*;

#[job(queue = "mail")]
#[job(priority = 1)]
async fn notify() {}

fn main() {}
