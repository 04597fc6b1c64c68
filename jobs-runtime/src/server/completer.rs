use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tracing::{error, info, warn};

use super::{claiming::Claiming, claims::ClaimKey, shared::Shared, supervise::Backoff};
use crate::{
    job::JobError,
    state::{self, Enqueued, State, Transition},
    storage::{ClaimedJob, Finish, Recorded, StorageError, StorageResult, Turn},
};

/// How many outcomes are recorded in one call at most, and how many bytes of results, unless one alone has more.
const BATCH: usize = 500;
const MOST_BYTES: usize = 8 << 20;

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
        let is_large = batch.iter().map(size).sum::<usize>() > MOST_BYTES;
        if wanted == 0 || is_large || !turn(shared, batch, wanted, claimed).await {
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

/// Tries until all are recorded, piece by piece.
///
/// If the storage refuses a piece, it is halved until it is known which outcome is the reason: then that job fails, and no
/// other has to wait for it.
async fn record(shared: &Shared, batch: &[Finish]) {
    let mut pieces: Vec<&[Finish]> = batch.chunk_by(in_one_piece()).collect();
    // The next one is the last.
    pieces.reverse();
    while let Some(piece) = pieces.pop() {
        match (record_piece(shared, piece).await, piece) {
            (Ok(recorded), _) => end(shared, piece, &recorded),
            (Err(refused), [finish]) => fail(shared, finish, refused).await,
            (Err(_), _) => {
                let (first, second) = piece.split_at(piece.len() / 2);
                pieces.extend([second, first]);
            }
        }
    }
}

/// Tries until the outcomes are recorded, or the storage refuses them.
async fn record_piece(shared: &Shared, piece: &[Finish]) -> StorageResult<Vec<Recorded>> {
    let mut backoff = Backoff::default();
    loop {
        match shared.storage().finish(piece.to_vec()).await {
            Ok(recorded) => {
                shared.health.recovered("completer");
                return Ok(recorded);
            }
            Err(refused @ StorageError::Refused { .. }) => return Err(refused),
            Err(source) => {
                report(shared, &source, piece.len());
                backoff.wait().await;
            }
        }
    }
}

/// Lets a job fail whose outcome the storage refuses.
async fn fail(shared: &Shared, finish: &Finish, refused: StorageError) {
    error!(job.id = %finish.job, outcome = %finish.transition.to.name(), error = %refused,
        "the storage refuses an outcome: its job fails instead");
    let failure = JobError::permanent(Unstorable(refused));
    let failed = [Finish { transition: state::refused(failure, finish.transition.at), ..finish.clone() }];
    let mut backoff = Backoff::default();
    loop {
        match record_piece(shared, &failed).await {
            Ok(recorded) => return end(shared, &failed, &recorded),
            Err(source) => {
                report(shared, &source, 1);
                backoff.wait().await;
            }
        }
    }
}

/// The storage refuses what would follow from the run of a job.
#[derive(Debug, thiserror::Error)]
#[error("the job has run, but how it ended can't be stored: {0}")]
struct Unstorable(StorageError);

fn report(shared: &Shared, source: &StorageError, outcomes: usize) {
    if shared.health.failed("completer", source) {
        error!(error = %source, outcomes, "outcomes can't be recorded; trying until they are");
    }
}

/// Whether the next outcome still belongs into one call with those before it, so that no call takes too long.
fn in_one_piece() -> impl FnMut(&Finish, &Finish) -> bool {
    let mut bytes = 0;
    move |before, next| {
        bytes += size(before);
        let fits = bytes + size(next) <= MOST_BYTES;
        if !fits {
            bytes = 0;
        }
        fits
    }
}

/// How much there is to store of an outcome that has no bounds of its own.
fn size(finish: &Finish) -> usize {
    match &finish.transition.to {
        State::Succeeded(succeeded) => succeeded.result.get().len(),
        _ => 0,
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
