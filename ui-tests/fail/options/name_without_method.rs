use jobs_runtime::prelude::*;

#[job(name = "mail.")]
async fn notify() {}

fn main() {}
