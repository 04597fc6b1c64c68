use crate::{
    clock::Timestamp,
    filter::Stopped,
    job::{ArgumentsError, InvalidQueueName, JobName, ParameterError},
    storage::StorageError,
};

/// A job could not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// There is no client to store it with.
    #[error(
        "no client to enqueue job `{job}` with: call `jobs_runtime::set_client(client)` once at the start, or \
         enqueue inside `client.scope(…)`, or with `.with(&client)`"
    )]
    NoClient {
        /// The job.
        job: JobName,
    },
    /// The arguments can't be written as JSON.
    #[error(transparent)]
    Arguments(#[from] ArgumentsError),
    /// The arguments are too long.
    #[error(
        "the arguments of job `{job}` are {bytes} bytes of JSON, more than the limit of {limit}: store what is large \
         elsewhere and pass its name, or raise the limit with `Client::with_max_payload`"
    )]
    PayloadTooLarge {
        /// The job.
        job: JobName,
        /// How long they are.
        bytes: usize,
        /// How long they may be.
        limit: usize,
    },
    /// The queue's name is not one.
    #[error("job `{job}`: {source}")]
    InvalidQueue {
        /// The job.
        job: JobName,
        /// What is wrong.
        source: InvalidQueueName,
    },
    /// The delay is negative.
    #[error("job `{job}`: {source}")]
    NegativeDelay {
        /// The job.
        job: JobName,
        /// What is wrong.
        source: NegativeDelay,
    },
    /// The time is later than any storage can keep.
    #[error("job `{job}` can't be scheduled for {at}: the latest possible time is the end of the year 9999")]
    TooLate {
        /// The job.
        job: JobName,
        /// The time asked for.
        at: Timestamp,
    },
    /// A call that is bound to a client of one storage was given to the client of another one.
    #[error(
        "job `{job}` is bound to a client of another storage than the one that should store it: leave out \
         `.with(&client)` and call `X::enqueue(…)`, or await it by itself"
    )]
    OtherClient {
        /// The job.
        job: JobName,
    },
    /// More than one of `.delay`, `.at` and `.after` was called.
    #[error("job `{job}` has more than one start: call only one of `.delay(…)`, `.at(…)` and `.after(…)`")]
    SeveralStarts {
        /// The job.
        job: JobName,
    },
    /// The transaction is not one of the database that the client's storage is in.
    #[error(
        "job `{job}` can't be stored in a transaction of {transaction} by a client of storage `{storage}`, which is not in \
         that database: enqueue it `.with(…)` a client whose storage is, or without `.in_tx(…)`"
    )]
    OtherDatabase {
        /// The job.
        job: JobName,
        /// The transaction's database.
        transaction: &'static str,
        /// The client's storage, without secrets.
        storage: String,
    },
    /// A parameter can't be stored.
    #[error("job `{job}`: {source}")]
    Parameter {
        /// The job.
        job: JobName,
        /// What is wrong.
        source: ParameterError,
    },
    /// A filter [canceled](crate::filter::Creating::cancel) it.
    #[error("job `{job}` was canceled by filter {filter} before it was stored")]
    Canceled {
        /// The job.
        job: JobName,
        /// The filter.
        filter: &'static str,
    },
    /// A filter failed before the job was stored.
    #[error("filter {filter} failed before job `{job}` was stored")]
    Filter {
        /// The job.
        job: JobName,
        /// The filter.
        filter: &'static str,
        /// How it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The storage failed, three times if that can help.
    ///
    /// In a transaction of the application's nothing is tried again. What the database says of it then depends on the
    /// database: roll it back.
    ///
    /// After [`Timeout`](StorageError::Timeout) and [`Failed`](StorageError::Failed) the jobs may be stored all the
    /// same. To enqueue again without storing them twice, give each its id: [`Enqueue::id`](super::Enqueue::id).
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<Stopped> for EnqueueError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Canceled { job, filter } => Self::Canceled { job, filter },
            Stopped::Failed { job, filter, source } => Self::Filter { job, filter, source },
        }
    }
}

/// A delay that is less than nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a delay of {milliseconds} ms is negative; leave it out to enqueue at once")]
pub struct NegativeDelay {
    /// The delay asked for.
    pub milliseconds: i64,
}
