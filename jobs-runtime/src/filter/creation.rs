//! Round the creation of a job.

use std::error::Error;

use futures_util::FutureExt as _;
use tracing::warn;

use super::set::Chain;
use crate::{
    job::{CatchPanic, JobError, JobName},
    storage::NewJob,
};

/// A job that is about to be stored.
#[derive(Debug)]
pub struct Creating {
    job: NewJob,
    is_canceled: bool,
}

impl Creating {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &NewJob {
        &self.job
    }

    /// The job, to be changed: where and when it runs, its parameters, even its arguments; but not its id, nor of which
    /// slot of a schedule it is.
    pub fn job_mut(&mut self) -> &mut NewJob {
        &mut self.job
    }

    /// Keeps the job from being stored: who enqueues it gets
    /// [`EnqueueError::Canceled`](crate::client::EnqueueError::Canceled), and of several jobs at once none is stored. A slot
    /// of a schedule is over without a job.
    pub fn cancel(&mut self) {
        self.is_canceled = true;
    }
}

/// A job that was stored, or was not.
#[derive(Debug)]
pub struct Created<'c> {
    job: &'c NewJob,
    is_canceled: bool,
    error: Option<&'c (dyn Error + Send + Sync + 'static)>,
}

impl Created<'_> {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &NewJob {
        self.job
    }

    /// Whether a filter inside this one has canceled it.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.is_canceled
    }

    /// Why it is not stored, if it was not canceled.
    #[must_use]
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.error
    }
}

/// A job on its way through the filters before it is stored, and back.
pub(crate) struct Creation {
    pub(crate) job: NewJob,
    chain: Chain,
    /// How many have let it pass.
    passed: usize,
    pub(crate) stopped: Option<Stopped>,
    is_canceled: bool,
}

/// Why a job is not to be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("job `{job}` was canceled by filter {filter}")]
    Canceled { job: JobName, filter: &'static str },
    #[error("filter {filter} failed before job `{job}` was stored")]
    Failed { job: JobName, filter: &'static str, source: Box<dyn Error + Send + Sync> },
}

impl Creation {
    /// Asks the filters, until one of them cancels or fails.
    pub(crate) async fn begin(job: NewJob, chain: Chain) -> Self {
        let (id, recurrence) = (job.id, job.recurrence.clone());
        let mut creating = Creating { job, is_canceled: false };
        let (mut passed, mut stopped) = (0, None);
        for filter in chain.iter() {
            let asking = filter.creating(&mut creating).map(|result| result.map_err(JobError::from_error));
            let result = CatchPanic(Box::pin(asking)).await.map_err(Into::into);
            let (job, filter) = (|| creating.job.invocation.name().clone(), filter.name());
            stopped = match result {
                Err(source) => Some(Stopped::Failed { job: job(), filter, source }),
                Ok(()) if creating.is_canceled => Some(Stopped::Canceled { job: job(), filter }),
                Ok(()) => None,
            };
            if stopped.is_some() {
                break;
            }
            passed += 1;
        }
        let job = NewJob { id, recurrence, ..creating.job };
        Self { job, chain, passed, stopped, is_canceled: creating.is_canceled }
    }

    /// Tells those that have let the job pass what became of it, the last one first. What goes wrong here can't change
    /// whether the job is stored.
    pub(crate) async fn end(&self, error: Option<&(dyn Error + Send + Sync + 'static)>) {
        let is_canceled = self.is_canceled;
        let error = error.filter(|_| !is_canceled);
        for filter in self.chain[..self.passed].iter().rev() {
            let mut created = Created { job: &self.job, is_canceled, error };
            let telling = filter.created(&mut created).map(|result| result.map_err(JobError::from_error));
            if let Err(error) = CatchPanic(Box::pin(telling)).await {
                warn!(job.id = %self.job.id, job.name = %self.job.invocation.name(), filter = filter.name(), %error,
                    "a filter failed after a job was created");
            }
        }
    }
}
