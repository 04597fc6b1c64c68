use chrono::{DateTime, TimeZone};

use super::Client;
use crate::{
    clock::{LATEST, Timestamp, to_micros},
    job::JobId,
    state::{Attempts, Deleted, Enqueued, Scheduled, StateName, Transition},
    storage::{Change, Changed, StorageError},
};

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
        let change = Change { job, from: to.previous(), transition };
        let changed = self.0.storage.change(vec![change]).await?;
        match changed.first() {
            Some(Changed::Moved(_)) => Ok(()),
            Some(Changed::Refused(state)) => Err(ChangeError::Refused { id: job, state: *state, to }),
            Some(Changed::NotFound) | None => Err(ChangeError::NotFound { id: job }),
        }
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
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
