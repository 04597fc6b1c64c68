use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio::{
    sync::{SemaphorePermit, mpsc},
    task::JoinHandle,
};
use tracing::{Instrument, debug_span, warn};

use super::{
    case::Case,
    running::RunGuard,
    shared::{Inlets, Shared},
    transaction,
};
use crate::{
    job::JobError,
    state::{self, Ended, StateName, Transition},
    storage::{ClaimedJob, Finish, StorageError},
};

/// Starts the server's workers on the application's runtime.
pub(super) fn spawn(shared: &Arc<Shared>, inlets: &Inlets) -> Vec<JoinHandle<()>> {
    let worker = || {
        let (shared, jobs, ended) = (Arc::clone(shared), inlets.to_run.clone(), inlets.ended.clone());
        tokio::spawn(async move { work(&shared, &jobs, &ended).await })
    };
    (0..shared.record.workers).map(|_| worker()).collect()
}

/// Runs one job after the other until the server stops.
async fn work(shared: &Shared, jobs: &async_channel::Receiver<ClaimedJob>, ended: &mpsc::Sender<Finish>) {
    let _gone = AtEnd(|| shared.demand.worker_gone());
    while let Ok(job) = jobs.recv().await {
        let _released = AtEnd(|| shared.demand.released());
        let claim = (job.id, job.token);
        let run = shared.running.start(&job);
        if shared.claims.is_revoked(claim) {
            // It was deleted, requeued or rescued while it waited here.
            shared.claims.remove([claim]);
            continue;
        }
        let Some(finish) = perform(shared, job, &run).await else { continue };
        // The outcome is handed on before the run counts as ended: the shutdown waits for runs, then for
        // outcomes.
        let _ = ended.send(finish).await;
    }
}

/// Does something when it is dropped, however the task ends.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Performs a job, and returns the move that follows, if it is not recorded yet; also if what the job leaves behind panics
/// when it is dropped: its future when its time is up, or its error.
async fn perform(shared: &Shared, job: ClaimedJob, guard: &RunGuard<'_>) -> Option<Finish> {
    let _permit = if job.lost > 0 { begin(shared, &job, guard).await } else { None };
    let (id, token, name, attempt) = (job.id, job.token, job.name.clone(), job.attempt);
    let case = Case::of(shared, job, &guard.run);
    if guard.run.cancellation.is_cancelled() {
        // It waited for its turn until it was taken away, or the server shut down.
        let transition = case.propose(Ended::Interrupted).transition;
        return Some(Finish { job: id, token, transition });
    }
    let span = debug_span!("job", job.id = %id, job.name = %name, queue = %case.context.queue(), attempt);
    let performing = async {
        if let Some(elsewhere) = case.enter().await {
            return (elsewhere, None);
        }
        if guard.run.cancellation.is_cancelled() {
            // While filters were asked.
            return (case.propose(Ended::Interrupted).transition, None);
        }
        let (ended, transaction) = case.run().await;
        (case.settle(ended).await, transaction)
    };
    let performing = AssertUnwindSafe(performing.instrument(span)).catch_unwind().await;
    let (transition, transaction) = match performing {
        Ok(performed) => performed,
        Err(panic) => (case.settle_after(panic).await, None),
    };
    let mut finish = Finish { job: id, token, transition };
    // What became of the job may be another state than its handler's end: then what it wrote is rolled back.
    if let Some(transaction) = transaction.filter(|_| finish.transition.to.name() == StateName::Succeeded) {
        match transaction::record(shared, transaction, &finish).await {
            Ok(()) => return None,
            // If it was recorded all the same, and only the reply is lost, this is refused.
            Err(error) => {
                let error = match error {
                    StorageError::Refused { .. } => JobError::permanent(error),
                    error => JobError::new(error),
                };
                finish.transition = case.settle(Ended::Failed(error)).await;
            }
        }
    }
    report(&finish.transition, id, &name, attempt);
    Some(finish)
}

/// Says that a run begins, of a job that was lost before: it may be what killed its servers.
///
/// One that fails when it is lost once more runs alone of its kind, so that no other is lost with it by its fault:
/// a permit is waited for, and returned. If the beginning can't be said, the job runs all the same; should it kill
/// this server too, it is only tried once more.
async fn begin<'s>(shared: &'s Shared, job: &ClaimedJob, guard: &RunGuard<'_>) -> Option<SemaphorePermit<'s>> {
    let permit = if job.lost + 1 >= shared.settings.max_lost {
        tokio::select! {
            permit = shared.last_chance.acquire() => permit.ok(),
            () = guard.run.cancellation.cancelled() => None,
        }
    } else {
        None
    };
    if let Err(error) = shared.storage().begin(vec![(job.id, job.token)]).await {
        warn!(job.id = %job.id, %error, "the beginning of a run could not be noted");
    }
    permit
}

/// Logs a failure, once, with what will follow from it.
fn report(transition: &Transition, id: crate::job::JobId, name: &crate::job::JobName, attempt: u32) {
    let failed = |entry: &state::HistoryEntry| entry.state == StateName::Failed;
    if transition.to.name() != StateName::Failed && !transition.replaced.iter().any(failed) {
        return;
    }
    let history = transition.history();
    let error = history.iter().find(|entry| failed(entry)).and_then(|entry| entry.data["message"].as_str());
    let error = error.unwrap_or_default();
    match transition.to.name() {
        StateName::Scheduled => warn!(job.id = %id, job.name = %name, attempt, error, "job failed and will be retried"),
        _ => tracing::error!(job.id = %id, job.name = %name, attempt, error, "job failed"),
    }
}
