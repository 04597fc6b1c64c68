//! Jobs in the application's transactions, and transactions that end with their job: the same cases for each database.

#![allow(clippy::duplicate_mod, reason = "the same cases for each database")]

/// The cases, for the database of the module in which it stands.
macro_rules! cases {
    () => {
        #[path = "enqueue.rs"]
        mod enqueue;
        #[path = "failure.rs"]
        mod failure;
        #[path = "fenced.rs"]
        mod fenced;
        #[path = "kills.rs"]
        mod kills;
        #[path = "site.rs"]
        mod site;
        #[path = "success.rs"]
        mod success;
        #[path = "wake.rs"]
        mod wake;
    };
}

mod mysql;
mod postgres;
mod sqlite;
mod wire;

use std::{any::Any, sync::Arc, time::Duration};

use jobs_runtime::storage::Storage;
use tokio::sync::Semaphore;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// A storage, and the application's own access to its database.
struct Opened<DB: sqlx::Database> {
    storage: Arc<dyn Storage>,
    /// A second handle, as another process would have.
    other: Arc<dyn Storage>,
    pool: sqlx::Pool<DB>,
    /// The storage's URL.
    url: String,
    /// The application's table.
    table: String,
    /// What the names of the storage's tables begin with.
    prefix: String,
    /// What has to live as long.
    keep: Box<dyn Any>,
}

/// Lets tests hold jobs while they run.
struct Gate {
    begun: Semaphore,
    open: Semaphore,
}

impl Gate {
    fn new() -> jobs_runtime::job::Data<Self> {
        jobs_runtime::job::Data::new(Self { begun: Semaphore::new(0), open: Semaphore::new(0) })
    }

    /// What a job does.
    async fn pass(&self) {
        self.begun.add_permits(1);
        self.open.acquire().await.expect("never closed").forget();
    }

    /// Waits until so many jobs wait.
    async fn begun(&self, jobs: u32) {
        let begun = tokio::time::timeout(TEN_SECONDS, self.begun.acquire_many(jobs)).await;
        begun.expect("jobs begin").expect("never closed").forget();
    }
}
