use jobs_runtime::prelude::*;

#[job]
#[recurring(cron = "@daily", id = "digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-digest-")]
async fn digest() {}

fn main() {}
