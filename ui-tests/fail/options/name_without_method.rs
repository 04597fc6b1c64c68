use jobs_runtime::prelude::*;

#[job(name = "mail.")]
async fn send() {}

fn main() {}
