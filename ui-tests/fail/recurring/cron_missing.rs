use jobs_runtime::prelude::*;

#[job]
#[recurring(tz = "Asia/Shanghai")]
async fn digest() {}

fn main() {}
