//! The jobs of the worker process.

use std::time::Duration;

use jobs_runtime::prelude::*;

/// Takes so many milliseconds.
#[job]
pub async fn nap(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Takes some milliseconds, and returns its argument.
#[job]
pub async fn work(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(n % 7)).await;
    n
}

/// Fails the first time, and returns its argument when it is retried.
#[job(retry(attempts = 3, fixed = "300ms"))]
pub async fn stumble(cx: JobContext, n: u64) -> Result<u64, String> {
    if cx.attempt() == 1 { Err("the first time".to_owned()) } else { Ok(n) }
}

/// Enqueues a `Work` that is due after so many milliseconds, and returns its id.
#[job]
pub async fn put_off(n: u64, millis: u64) -> Result<JobId, EnqueueError> {
    Ok(Work::enqueue(n).delay(Duration::from_millis(millis)).await?.id())
}
