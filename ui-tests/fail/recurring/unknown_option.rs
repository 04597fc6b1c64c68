use jobs_runtime::prelude::*;

#[job]
#[recurring(crn = "@daily")]
async fn digest() {}

fn main() {}
