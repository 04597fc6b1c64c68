use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::claims::ClaimKey;
use crate::storage::ClaimedJob;

/// The jobs that a server's workers run at present.
#[derive(Debug, Default)]
pub(super) struct Running {
    runs: Mutex<HashMap<ClaimKey, Arc<Run>>>,
    ended: Notify,
}

/// One run of a job, as far as others may steer it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) cancellation: CancellationToken,
    started: Instant,
    pub(super) interrupted: Arc<AtomicBool>,
}

impl Running {
    /// Notes that a job is about to run; it runs until the returned guard is dropped.
    pub(super) fn start<'r>(&'r self, job: &ClaimedJob) -> RunGuard<'r> {
        let run = Arc::new(Run {
            cancellation: CancellationToken::new(),
            started: Instant::now(),
            interrupted: Arc::default(),
        });
        let key = (job.id, job.token);
        self.runs().insert(key, Arc::clone(&run));
        RunGuard { running: self, key, run }
    }

    /// Cancels the token of a run; another run of the same job goes on.
    pub(super) fn cancel(&self, claim: ClaimKey) {
        if let Some(run) = self.runs().get(&claim) {
            run.cancellation.cancel();
        }
    }

    /// Cancels the tokens of all jobs because the server shuts down.
    pub(super) fn interrupt_all(&self) {
        for run in self.runs().values() {
            run.interrupted.store(true, Ordering::Release);
            run.cancellation.cancel();
        }
    }

    /// What still runs.
    pub(super) fn keys(&self) -> Vec<ClaimKey> {
        self.runs().keys().copied().collect()
    }

    /// Waits until nothing runs.
    pub(super) async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            if self.runs().is_empty() {
                return;
            }
            ended.await;
        }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<ClaimKey, Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Acquire)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Ends a run when it is dropped, however the worker's task ends.
pub(super) struct RunGuard<'r> {
    running: &'r Running,
    key: ClaimKey,
    pub(super) run: Arc<Run>,
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        self.running.runs().remove(&self.key);
        self.running.ended.notify_waiters();
    }
}
