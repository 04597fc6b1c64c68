use super::{ClaimToken, ClaimedJob, StorageError, StorageResult};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{StateName, StateSet, Transition},
};

/// How a run of a claimed job ended.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The job.
    pub job: JobId,
    /// The delivery that ran it.
    pub token: ClaimToken,
    /// Its next state.
    pub transition: Transition,
}

/// What became of a [`Finish`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// It is stored, or was before: a success that the same delivery has recorded already, say before a lost reply,
    /// is answered so for as long as the job is Succeeded by it. Then the first one stands, and counts once.
    Stored,
    /// It is refused: the job is not held by this delivery (any more), or the state is none in which a run can end. A
    /// repeated outcome that is not a success is answered so too, because it ended the delivery.
    Fenced,
}

/// What became of a call of [`finish_and_claim`](super::Storage::finish_and_claim): each of its halves may fail alone.
#[derive(Debug)]
pub struct Turn {
    /// As [`finish`](super::Storage::finish) answers.
    pub recorded: StorageResult<Vec<Recorded>>,
    /// As [`claim`](super::Storage::claim) answers.
    pub claimed: StorageResult<Vec<ClaimedJob>>,
}

impl Turn {
    /// Both halves failed for one reason.
    pub(crate) fn failed(error: StorageError, storage: &str) -> Self {
        let mut copies = error.copies(storage);
        let mut copy = || copies.next().unwrap_or_else(|| StorageError::Closed { storage: storage.to_owned() });
        Self { recorded: Err(copy()), claimed: Err(copy()) }
    }
}

/// A move of a job by hand, to Enqueued, Scheduled, Failed or Deleted: the other states are refused, because they
/// need more than a move.
#[derive(Clone, Debug)]
pub struct Change {
    /// The job.
    pub job: JobId,
    /// The states in which it may be moved.
    pub from: StateSet,
    /// Its next state.
    pub transition: Transition,
}

/// What became of a [`Change`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    /// The job was in this state and was moved.
    Moved(StateName),
    /// The job is in this state, which was not expected, or is not to be moved to the state asked for.
    Refused(StateName),
    /// There is no such job.
    NotFound,
}

/// What became of a call of [`promote`](super::Storage::promote).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Promotion {
    /// How many jobs were put into their queues.
    pub promoted: usize,
    /// When the next scheduled job is due, if there is one.
    pub next_due: Option<Timestamp>,
}

impl Promotion {
    /// So many jobs were put into their queues, and the next one is due then.
    #[must_use]
    pub fn new(promoted: usize, next_due: Option<Timestamp>) -> Self {
        Self { promoted, next_due }
    }
}
