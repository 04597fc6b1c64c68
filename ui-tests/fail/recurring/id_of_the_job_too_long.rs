use jobs_runtime::prelude::*;

#[job(name = "digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_.digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_digest_")]
#[recurring(cron = "@daily")]
async fn digest() {}

fn main() {}
