use jobs_runtime::prelude::*;

#[job(queu = "mail")]
async fn notify() {}

fn main() {}
