use jobs_runtime::prelude::*;

#[job]
#[recurring]
async fn digest() {}

#[recurring]
#[job]
async fn report() {}

fn main() {}
