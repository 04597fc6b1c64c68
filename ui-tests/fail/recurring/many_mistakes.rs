//! All mistakes are reported in one compile, above and below `#[job]`, and the job's callers are not.

use jobs_runtime::prelude::*;

#[recurring(cron = "0 9 * *", tz = "Berlinn", args(days = 7, days = 8), misfire = "none")]
#[job]
#[recurring(id = " ", queue = "A B", overlap = 1, max_missed = 5, args(region = "eu"), cron)]
async fn digest(_days: u32) {}

fn main() {
    let _ = Digest::enqueue(7);
}
