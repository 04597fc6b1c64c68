use std::sync::Arc;

use jobs_runtime::prelude::*;

struct Database;

#[job]
#[recurring(cron = "@daily", args(days = 7))]
async fn digest(_database: Arc<Database>, _days: u32) {}

fn main() {}
