use chrono::{DateTime, TimeZone};

use super::Client;
use crate::{
    clock::{LATEST, Timestamp, to_micros},
    filter::{Decision, Subject},
    job::JobId,
    state::{Attempts, Candidate, Deleted, Enqueued, Scheduled, StateName, StateSet, Transition},
    storage::{Change, Changed, StorageError},
};

/// The states to which jobs are moved by hand.
const BY_HAND: StateSet =
    StateSet::of(&[StateName::Enqueued, StateName::Scheduled, StateName::Failed, StateName::Deleted]);

/// How often a move is tried whose filters were asked about a state that the job has left meanwhile.
const TRIES: usize = 10;

impl Client {
    /// Deletes a job: it won't run (again), and if it runs its token is cancelled within a second.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] if there is no such job, it is deleted already, or the storage fails.
    pub async fn delete(&self, id: impl Into<JobId>) -> Result<(), ChangeError> {
        self.change(id.into(), Transition::new(Deleted {}, self.now()).because("deleted by hand")).await
    }

    /// Puts a job into its queue (again), whatever its state, with a new round of attempts. A run that is under
    /// way is cancelled, and its outcome is not recorded.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] if there is no such job, or the storage fails.
    pub async fn requeue(&self, id: impl Into<JobId>) -> Result<(), ChangeError> {
        let transition = Transition::new(Enqueued {}, self.now()).because("requeued by hand");
        self.change(id.into(), transition.attempts(Attempts::Reset)).await
    }

    /// Puts a job off until `at`, with a new round of attempts. A run that is under way is cancelled, and its
    /// outcome is not recorded.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] if there is no such job, it succeeded or was deleted, the time is after the year 9999, or
    /// the storage fails.
    pub async fn reschedule<Tz: TimeZone>(&self, id: impl Into<JobId>, at: DateTime<Tz>) -> Result<(), ChangeError> {
        let (id, at) = (id.into(), to_micros(at.to_utc()));
        if at >= LATEST {
            return Err(ChangeError::TooLate { id, at });
        }
        let transition = Transition::new(Scheduled { at }, self.now()).because("rescheduled by hand");
        self.change(id, transition.attempts(Attempts::Reset)).await
    }

    async fn change(&self, job: JobId, transition: Transition) -> Result<(), ChangeError> {
        let to = transition.to.name();
        for _ in 0..TRIES {
            let change = self.elect(job, transition.clone()).await?;
            let elected = change.transition.to.name();
            match self.0.storage.change(vec![change]).await?.first() {
                Some(Changed::Moved(_)) if elected == to => return Ok(()),
                Some(Changed::Moved(_)) => return Err(ChangeError::Elected { id: job, state: elected, to }),
                // It was moved while the filters were asked.
                Some(Changed::Refused(state)) if to.previous().contains(*state) => {}
                Some(Changed::Refused(state)) => return Err(ChangeError::Refused { id: job, state: *state, to }),
                Some(Changed::NotFound) | None => return Err(ChangeError::NotFound { id: job }),
            }
        }
        Err(ChangeError::Contended { id: job })
    }

    /// What the filters make of a move.
    async fn elect(&self, job: JobId, transition: Transition) -> Result<Change, ChangeError> {
        let (to, filters) = (transition.to.name(), self.filters());
        let plain = Change { job, from: to.previous(), transition };
        if filters.are_none() {
            return Ok(plain);
        }
        let Some(found) = self.job(job).await? else { return Err(ChangeError::NotFound { id: job }) };
        let (chain, from) = (filters.of(&found.job.name), found.job.state);
        if chain.is_empty() {
            return Ok(plain);
        }
        // If it can't be moved, the storage says so; what can't be read is of no filter's type.
        let (true, Some(subject)) = (plain.from.contains(from), Subject::found(found)) else { return Ok(plain) };
        let decision = Decision { chain: &chain, from, allowed: from.next().intersection(BY_HAND) };
        let candidate = Candidate::of(plain.transition);
        let transition = decision.settle(subject, candidate, |candidate| candidate.transition).await;
        Ok(Change { job, from: StateSet::of(&[from]), transition })
    }

    fn now(&self) -> Timestamp {
        self.0.storage.clock().now()
    }
}

/// A job could not be moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no such job (any more).
    #[error("there is no job {id} (any more)")]
    NotFound {
        /// The job.
        id: JobId,
    },
    /// The job is in a state from which it can't be moved so.
    #[error("job {id} is {state} and can't become {to}")]
    Refused {
        /// The job.
        id: JobId,
        /// The state it is in.
        state: StateName,
        /// The state it should have entered.
        to: StateName,
    },
    /// The time is later than any storage can keep.
    #[error("job {id} can't be rescheduled for {at}: the latest possible time is the end of the year 9999")]
    TooLate {
        /// The job.
        id: JobId,
        /// The time asked for.
        at: Timestamp,
    },
    /// A filter elected another state, or failed; see the job's history.
    #[error("job {id} was to become {to}, but a filter let it become {state}")]
    Elected {
        /// Its id.
        id: JobId,
        /// The state in which it is now.
        state: StateName,
        /// The state it was to enter.
        to: StateName,
    },
    /// Others move the job again and again.
    #[error("job {id} was moved by others each time before it could be; try again")]
    Contended {
        /// Its id.
        id: JobId,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
