use jobs_runtime::prelude::*;

#[job("mail")]
async fn send() {}

fn main() {}
