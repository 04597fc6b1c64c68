use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tracing::{error, info, warn};

use super::{claiming::Claiming, claims::ClaimKey, shared::Shared, supervise::Backoff};
use crate::{
    state::{Enqueued, Transition},
    storage::{ClaimedJob, Finish, Recorded, StorageResult, Turn},
};

/// How many outcomes are recorded in one call at most.
const BATCH: usize = 500;

/// The outcomes that come from the workers, and those that are being recorded: they outlive a panic.
#[derive(Debug)]
pub(super) struct Inbox {
    outcomes: mpsc::Receiver<Finish>,
    batch: Vec<Finish>,
}

impl Inbox {
    pub(super) fn new(outcomes: mpsc::Receiver<Finish>) -> Mutex<Self> {
        Mutex::new(Self { outcomes, batch: Vec::with_capacity(BATCH) })
    }
}

/// Records how jobs ended, as many in one call as have gathered during the one before, until all who could end
/// jobs are gone.
///
/// An outcome is kept and tried again until the storage has it or refuses it: nothing is dropped.
///
/// While there is a backlog, it claims the next jobs with the same call.
pub(super) async fn run(
    shared: &Shared,
    inbox: &Mutex<Inbox>,
    claimed: &async_channel::Sender<ClaimedJob>,
) -> StorageResult<()> {
    let Inbox { outcomes, batch } = &mut *inbox.lock().await;
    while !batch.is_empty() || outcomes.recv_many(batch, BATCH).await > 0 {
        let wanted = if shared.stop.claiming.is_cancelled() { 0 } else { shared.demand.wanted_besides() };
        if wanted == 0 || !turn(shared, batch, wanted, claimed).await {
            record(shared, batch).await;
        }
        shared.demand.ended(batch.len());
        batch.clear();
    }
    Ok(())
}

/// Records and claims at once; returns whether the outcomes are recorded. What went wrong will be told by those who try
/// again: the dispatcher, and [`record`].
async fn turn(shared: &Shared, batch: &[Finish], wanted: usize, claimed: &async_channel::Sender<ClaimedJob>) -> bool {
    let claiming = Claiming::begin(shared, wanted);
    let Turn { recorded, claimed: jobs } = shared.storage().finish_and_claim(batch.to_vec(), claiming.claim()).await;
    if let Ok(jobs) = jobs {
        claiming.end(jobs, claimed).await;
    }
    let Ok(recorded) = recorded else { return false };
    shared.health.recovered("completer");
    end(shared, batch, &recorded);
    true
}

async fn record(shared: &Shared, batch: &[Finish]) {
    let mut backoff = Backoff::default();
    loop {
        match shared.storage().finish(batch.to_vec()).await {
            Ok(recorded) => {
                shared.health.recovered("completer");
                return end(shared, batch, &recorded);
            }
            Err(source) => {
                if shared.health.failed("completer", &source) {
                    error!(error = %source, outcomes = batch.len(), "outcomes can't be recorded; trying until they are");
                }
                backoff.wait().await;
            }
        }
    }
}

/// The server no longer holds these jobs.
pub(super) fn end(shared: &Shared, batch: &[Finish], recorded: &[Recorded]) {
    shared.claims.remove(batch.iter().map(|finish| (finish.job, finish.token)));
    for (finish, recorded) in batch.iter().zip(recorded) {
        if *recorded == Recorded::Fenced {
            info!(job.id = %finish.job, outcome = %finish.transition.to.name(),
                "an outcome was refused: the job was deleted, requeued or rescued meanwhile");
        }
    }
}

/// Puts jobs back into their queues without spending an attempt, and returns how many; gives up after `limit`.
pub(super) async fn give_back(shared: &Shared, claims: Vec<ClaimKey>, reason: &str, limit: Duration) -> usize {
    let transition = Transition::new(Enqueued {}, shared.storage().clock().now()).because(reason);
    let batch: Vec<Finish> =
        claims.into_iter().map(|(job, token)| Finish { job, token, transition: transition.clone() }).collect();
    let count = batch.len();
    if count > 0 && tokio::time::timeout(limit, record(shared, &batch)).await.is_err() {
        warn!(jobs = count, "jobs can't be given back; they are rescued when this server's heartbeat is stale");
    }
    count
}
