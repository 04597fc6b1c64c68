use std::{fmt, marker::PhantomData, time::Duration};

use tokio::time::Instant;

use super::Client;
use crate::{
    job::{Failure, JobId, JobOutput},
    state::StateName,
    storage::{JobDetails, StorageError, StorageResult, Topic},
};

/// A stored job that returns a `T`.
pub struct JobHandle<T> {
    client: Client,
    id: JobId,
    output: PhantomData<fn() -> T>,
}

impl<T> JobHandle<T> {
    pub(super) fn new(client: Client, id: JobId) -> Self {
        Self { client, id, output: PhantomData }
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// All that is known of the job, or `None` if it has expired.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn details(&self) -> StorageResult<Option<JobDetails>> {
        self.client.job(self.id).await
    }
}

impl<T: JobOutput> JobHandle<T> {
    /// Waits until the job is done with, at most for `timeout`, and returns its result.
    ///
    /// # Errors
    ///
    /// [`WaitError`] if the job failed for good, was deleted, is gone, or took longer. A job that is about to be
    /// retried is waited for.
    pub async fn wait(&self, timeout: Duration) -> Result<T, WaitError> {
        let began = Instant::now();
        let mut finished = self.client.0.storage.signals().subscribe(Topic::Finished);
        // Between two looks pass at least 1, 2, 4 … 32 ms, so that a busy storage is not asked all the time.
        let mut pause = Duration::from_millis(1);
        loop {
            finished.reset();
            let (state, ended) = self.look().await?;
            if let Some(result) = ended.and_then(|details| self.outcome(&details)) {
                return result;
            }
            let rest = timeout.saturating_sub(began.elapsed());
            if rest.is_zero() {
                return Err(WaitError::Timeout { id: self.id, state, waited: timeout });
            }
            let _ = tokio::time::timeout(rest.min(POLL), finished.changed()).await;
            tokio::time::sleep(pause.min(timeout.saturating_sub(began.elapsed()))).await;
            pause = (pause * 2).min(Duration::from_millis(32));
        }
    }

    /// The job's state and, if it has ended, its details: all of a job is read once, when there is something to see.
    async fn look(&self) -> Result<(StateName, Option<JobDetails>), WaitError> {
        let not_found = WaitError::NotFound { id: self.id };
        let states = self.client.monitor().states(&[self.id]).await?;
        match states.first() {
            None => Err(not_found),
            Some((_, state)) if !state.has_ended() => Ok((*state, None)),
            // Someone may have put it back meanwhile.
            Some(_) => self.details().await?.map(|found| (found.job.state, Some(found))).ok_or(not_found),
        }
    }

    /// The result, if the job is done with.
    fn outcome(&self, details: &JobDetails) -> Option<Result<T, WaitError>> {
        let id = self.id;
        let last = details.history.iter().rev().find(|entry| entry.state == details.job.state)?;
        match details.job.state {
            StateName::Succeeded => {
                // A result that is missing reads as the empty text, which is no JSON: an error.
                let result = details.result.as_deref().unwrap_or_default();
                Some(T::from_json(result).map_err(|source| WaitError::Result { id, source }))
            }
            StateName::Failed => {
                let failure = serde_json::from_value(last.data.clone())
                    .unwrap_or_else(|_| Failure::new("unknown", "the stored failure can't be read"));
                Some(Err(WaitError::Failed { id, failure }))
            }
            StateName::Deleted => Some(Err(WaitError::Deleted { id, reason: last.reason.clone() })),
            _ => None,
        }
    }
}

/// How long to wait for a signal before looking anyway.
const POLL: Duration = Duration::from_millis(500);

impl<T> Clone for JobHandle<T> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.id)
    }
}

impl<T> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobHandle").field(&self.id).finish()
    }
}

impl<T> From<&JobHandle<T>> for JobId {
    fn from(handle: &JobHandle<T>) -> Self {
        handle.id
    }
}

/// A job has no result to return.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It took longer than the caller would wait.
    #[error("job {id} is still {state} after {waited:?}")]
    Timeout {
        /// The job.
        id: JobId,
        /// The state it is in.
        state: StateName,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It failed for good.
    #[error("job {id} failed: {}: {}", .failure.error_type, .failure.message)]
    Failed {
        /// The job.
        id: JobId,
        /// Why.
        failure: Failure,
    },
    /// It was deleted.
    #[error("job {id} was deleted: {}", .reason.as_deref().unwrap_or("no reason given"))]
    Deleted {
        /// The job.
        id: JobId,
        /// Why, if that was said.
        reason: Option<String>,
    },
    /// There is no such job (any more).
    #[error("there is no job {id} (any more); finished jobs are kept for their retention")]
    NotFound {
        /// The job.
        id: JobId,
    },
    /// Its result is not what the caller expects.
    #[error("the result of job {id} can't be read as what the caller expects: {source}")]
    Result {
        /// The job.
        id: JobId,
        /// What serde said.
        source: serde_json::Error,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
