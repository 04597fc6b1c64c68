use std::{io, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{completer::give_back, shared::Shared, system::System};
use crate::{state::SHUT_DOWN, storage::StorageError};

/// How a shutdown went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many jobs had been claimed but not begun, and were given back.
    pub not_begun: usize,
    /// How many jobs did not end in time, and were given back.
    pub interrupted: usize,
}

/// A server did not end as it should have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShutdownError {
    /// The signals of the operating system can't be listened to.
    #[error("signals can't be listened to: {0}")]
    Signal(#[source] io::Error),
    /// The storage failed.
    #[error("the storage could not be told that the server ended; what it held is rescued later: {0}")]
    Storage(#[from] StorageError),
}

/// How long recording the last outcomes may take.
const LAST_WORDS: Duration = Duration::from_secs(10);

pub(super) async fn run(
    shared: &Arc<Shared>,
    system: &mut System,
    workers: &mut [JoinHandle<()>],
    backgrounds: &mut [JoinHandle<()>],
    timeout: Duration,
) -> Result<ShutdownReport, ShutdownError> {
    info!(server = %shared.record.id, "job server is shutting down");
    shared.stop.claiming.cancel();
    system.claiming_ended().await;
    let not_begun = give_back(shared, shared.take_waiting(), SHUT_DOWN, LAST_WORDS).await;
    let idle = async { tokio::join!(shared.running.idle(), join_all(backgrounds.iter_mut())) };
    if tokio::time::timeout(timeout, idle).await.is_err() {
        backgrounds.iter().for_each(JoinHandle::abort);
        shared.running.interrupt_all();
        // What does not end in time is given back below.
        let _ = tokio::time::timeout(shared.settings.cancel_grace, shared.running.idle()).await;
    }
    let left = shared.running.keys();
    if !left.is_empty() {
        warn!(jobs = left.len(), "jobs did not end when they were cancelled; they are given back");
    }
    workers.iter().for_each(JoinHandle::abort);
    // A worker whose handler blocks its thread has nothing more to say.
    let _ = tokio::time::timeout(Duration::from_secs(1), join_all(workers.iter_mut())).await;
    let interrupted = give_back(shared, left, SHUT_DOWN, LAST_WORDS).await;
    if tokio::time::timeout(LAST_WORDS, system.completed()).await.is_err() {
        warn!("not all outcomes could be recorded; their jobs are rescued when this server's heartbeat is stale");
    }
    give_back_unknown(shared).await;
    // Only now, because a heartbeat after it would put the server back on the list.
    shared.stop.everything.cancel();
    system.ended().await;
    shared.storage().retire(&shared.record.id).await?;
    info!(server = %shared.record.id, not_begun, interrupted, "job server has shut down");
    Ok(ShutdownReport { not_begun, interrupted })
}

/// Gives back what the storage holds for this server without its knowing; by now it knows of nothing.
async fn give_back_unknown(shared: &Shared) {
    match shared.storage().heartbeat(&shared.record).await {
        Ok(held) => drop(give_back(shared, held, SHUT_DOWN, LAST_WORDS).await),
        Err(error) => warn!(%error, "the last heartbeat failed"),
    }
}

/// Waits until the process is told to end.
pub(super) async fn signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
