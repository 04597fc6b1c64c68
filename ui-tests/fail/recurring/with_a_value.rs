use jobs_runtime::prelude::*;

#[job]
#[recurring = "0 9 * * *"]
async fn digest() {}

fn main() {}
