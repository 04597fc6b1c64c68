//! All mistakes of an item are reported in one compile, and its callers are not.

use jobs_runtime::prelude::*;

#[job(queue = "Mail", timeout = "30", retry(fixed = "1s", linear = "1s", attempts = many), colour = "red")]
async fn notify(email: &str, (a, b): (u8, u8), user_id: i64, cx: JobContext, again: JobContext) -> impl Clone {}

#[job(priority = high)]
async fn receive(user_id: i64) -> Result<u8, JobError> {
    Ok(1)
}

async fn caller() {
    let _ = Notify::enqueue("ada@example.org", (1, 2), 3);
    let job = Receive::new(3);
    let _: i64 = job.user_id;
    let _ = Receive::enqueue(3);
    let _ = receive(3).await.map(|number: u8| number);
}

fn main() {}
