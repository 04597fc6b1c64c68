//! Running jobs.
//!
//! A server is a set of small background processes round one storage, each in a file of its own: the dispatcher
//! that claims jobs, the workers that run them, the completer that records how they ended, and those that promote
//! delayed jobs, beat, rescue, expire, and watch for cancellation.
//!
//! Handlers run on the application's runtime. The server's own processes run on a thread of their own, so that
//! handlers which hog the application's threads can't stop the heartbeat or the recording of outcomes.

mod background;
mod builder;
mod cancellation;
mod case;
mod check;
mod claiming;
mod claims;
mod completer;
mod counters;
mod delayed;
mod demand;
mod dispatcher;
mod expiry;
mod health;
mod heartbeat;
mod recurring;
mod rescue;
mod running;
mod shared;
mod shutdown;
mod supervise;
mod system;
mod transaction;
mod worker;

use std::{sync::Arc, time::Duration};

pub use self::{
    background::{BackgroundContext, BackgroundResult},
    builder::JobServerBuilder,
    check::{Problem, StartError},
    health::{Health, ProcessHealth},
    shutdown::{ShutdownError, ShutdownReport},
};
use self::{shared::Shared, system::System};
use crate::{
    client::Client,
    storage::{ServerId, Storage},
};

/// A running server: it takes jobs from its storage and performs them until it is shut down.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use jobs_runtime::prelude::*;
///
/// #[job]
/// async fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let storage = jobs_runtime::storage::connect("memory:").await?;
/// set_client(Client::new(storage.clone()));
/// let server = JobServer::builder(storage).workers(4).start().await?;
///
/// let sum = Add::enqueue(20, 22).await?;
/// assert_eq!(sum.wait(Duration::from_secs(5)).await?, 42);
///
/// server.shutdown(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
///
/// Dropping it stops it at once: what it held is found by the rescue of the next server, as after a crash.
#[derive(Debug)]
pub struct JobServer {
    shared: Arc<Shared>,
    system: System,
    workers: Vec<tokio::task::JoinHandle<()>>,
    /// The application's own processes.
    backgrounds: Vec<tokio::task::JoinHandle<()>>,
}

impl JobServer {
    /// The longest result that is stored, unless [`max_result`](JobServerBuilder::max_result) says otherwise: 1 MiB of
    /// JSON.
    pub const DEFAULT_MAX_RESULT: usize = 1024 * 1024;

    /// Prepares a server of `storage`.
    pub fn builder(storage: Arc<dyn Storage>) -> JobServerBuilder {
        JobServerBuilder::new(storage)
    }

    /// The server's id, as it stands in the history of the jobs it ran.
    #[must_use]
    pub fn id(&self) -> &ServerId {
        &self.shared.record.id
    }

    /// A client of the server's storage.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// How the server's background processes fare.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health.snapshot()
    }

    /// Runs until the process is told to end (Ctrl-C, or SIGTERM on Unix), and then shuts down with the
    /// builder's [`shutdown_timeout`](JobServerBuilder::shutdown_timeout).
    ///
    /// # Errors
    ///
    /// [`ShutdownError::Signal`] if signals can't be listened to; then the server is shut down at once. Else as
    /// [`shutdown`](Self::shutdown).
    pub async fn run_until_signal(self) -> Result<ShutdownReport, ShutdownError> {
        let mut failed = None;
        let report = self.run_until(async { failed = shutdown::signal().await.err() }).await;
        failed.map_or(report, |error| Err(ShutdownError::Signal(error)))
    }

    /// Runs until `end` is ready, and then shuts down with the builder's
    /// [`shutdown_timeout`](JobServerBuilder::shutdown_timeout).
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown).
    pub async fn run_until(self, end: impl Future) -> Result<ShutdownReport, ShutdownError> {
        end.await;
        let timeout = self.shared.settings.shutdown_timeout;
        self.shutdown(timeout).await
    }

    /// Shuts down in three steps: stops claiming; waits up to `timeout` for running jobs, then cancels their
    /// tokens; after the builder's [`cancel_grace`](JobServerBuilder::cancel_grace) gives back what still runs,
    /// without spending an attempt.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::Storage`] if the storage could not be told; the server has ended all the same, and what it
    /// still held is rescued when its heartbeat is stale.
    pub async fn shutdown(mut self, timeout: Duration) -> Result<ShutdownReport, ShutdownError> {
        // The workers stay in `self`, so that they end with it if this future is dropped.
        let Self { shared, system, workers, backgrounds } = &mut self;
        shutdown::run(shared, system, workers, backgrounds, timeout).await
    }
}

impl Drop for JobServer {
    fn drop(&mut self) {
        self.shared.stop.claiming.cancel();
        self.shared.stop.everything.cancel();
        self.shared.running.interrupt_all();
        self.workers.iter().chain(&self.backgrounds).for_each(tokio::task::JoinHandle::abort);
    }
}
