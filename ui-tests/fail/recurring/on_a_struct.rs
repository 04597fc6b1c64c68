use jobs_runtime::prelude::*;

#[recurring(cron = "@daily")]
pub struct Digest;

#[job]
#[recurring(cron = "@daily")]
pub struct Report;

fn main() {}
