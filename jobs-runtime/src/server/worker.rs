use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{SemaphorePermit, mpsc},
    task::JoinHandle,
};
use tracing::{Instrument, debug_span, warn};

use super::{
    running::{Run, RunGuard},
    shared::{Inlets, Shared},
    transaction,
};
use crate::{
    job::{
        CatchPanic, ContextParts, Invocation, JobContext, JobError, Performed, RegisteredHandler, RetryPolicy,
        RunTransaction,
    },
    state::{self, Ended, StateName, Transition, decide},
    storage::{ClaimedJob, Finish, JobTransaction},
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
    if guard.run.cancellation.is_cancelled() {
        // It waited for its turn until it was taken away, or the server shut down.
        let transition = next(shared, Ended::Interrupted, attempt, &RetryPolicy::NONE, guard);
        return Some(Finish { job: id, token, transition });
    }
    let handler = shared.registry.get(&name);
    let retry = handler.map_or(shared.settings.unknown_jobs, |handler| {
        let retry = handler.settings.retry;
        retry.with_attempts(job.max_attempts.unwrap_or(retry.attempts))
    });
    let span = debug_span!("job", job.id = %id, job.name = %name, queue = %job.queue, attempt);
    let performing = async {
        let (ended, transaction) = run(shared, job, handler, &retry, &guard.run).instrument(span).await;
        (next(shared, ended, attempt, &retry, guard), transaction)
    };
    let (transition, transaction) = AssertUnwindSafe(performing).catch_unwind().await.unwrap_or_else(|_| {
        let error = JobError::panic("panicked while it was dropped".to_owned(), None);
        (next(shared, Ended::Failed(error), attempt, &retry, guard), None)
    });
    let mut finish = Finish { job: id, token, transition };
    if let Some(transaction) = transaction {
        match transaction::record(shared, transaction, &finish).await {
            Ok(()) => return None,
            // If it was recorded all the same, and only the reply is lost, this is refused.
            Err(error) => {
                finish.transition = next(shared, Ended::Failed(JobError::new(error)), attempt, &retry, guard);
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

/// The move that follows from the end of a run.
fn next(shared: &Shared, ended: Ended, attempt: u32, retry: &RetryPolicy, guard: &RunGuard<'_>) -> Transition {
    let ended_at = shared.storage().clock().now();
    let run = state::Run { attempt, retry, duration: guard.run.elapsed(), ended_at };
    decide(ended, run, |bound| fastrand::u64(..bound))
}

/// Runs the job's handler, and returns how that ended; with the transaction in which its success is to be recorded, if
/// there is one.
async fn run(
    shared: &Shared,
    job: ClaimedJob,
    handler: Option<&RegisteredHandler>,
    retry: &RetryPolicy,
    run: &Run,
) -> (Ended, Option<JobTransaction>) {
    let Some(handler) = handler else {
        return (Ended::Failed(shared.registry.unknown(&job.name)), None);
    };
    let context = JobContext::new(ContextParts {
        id: job.id,
        name: job.name.clone(),
        queue: job.queue,
        attempt: job.attempt,
        retries: retry.attempts,
        created_at: job.created_at,
        recurrence: job.recurrence,
        cancellation: run.cancellation.clone(),
        data: Arc::clone(&shared.data),
        transaction: RunTransaction::default(),
    });
    let invocation = match Invocation::stored(job.name, job.arguments) {
        Ok(invocation) => invocation,
        Err(error) => return (Ended::Failed(JobError::permanent(error)), None),
    };
    let _aborted = transaction::EndAtDrop(&context);
    let performing = CatchPanic((handler.descriptor.perform)(invocation, context.clone()));
    let performing = shared.client.scope(performing);
    let ended = match handler.settings.timeout {
        None => ended(performing.await, run),
        Some(limit) => match in_time(limit, performing).await {
            Some(performed) => ended(performed, run),
            None => {
                run.cancellation.cancel();
                Ended::TimedOut(limit)
            }
        },
    };
    transaction::settle(ended, &context)
}

/// `None` if the time is up; then the handler's future is dropped.
async fn in_time(limit: Duration, performing: impl Future<Output = Performed>) -> Option<Performed> {
    tokio::time::timeout(limit, performing).await.ok()
}

fn ended(performed: Performed, run: &Run) -> Ended {
    match performed {
        Ok(result) => Ended::Returned(result),
        // It was told to stop, so that it did not succeed is no failure of its own.
        Err(_) if run.is_interrupted() => Ended::Interrupted,
        Err(error) => Ended::Failed(error),
    }
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
