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
