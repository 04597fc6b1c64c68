use jobs_runtime::prelude::*;

#[job(queu = "mail")]
async fn send() {}

fn main() {}
