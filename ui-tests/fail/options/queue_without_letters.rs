use jobs_runtime::prelude::*;

#[job(queue = "邮件")]
async fn notify() {}

fn main() {}
