use jobs_runtime::prelude::*;

#[job("mail")]
async fn notify() {}

fn main() {}
