use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{
    Data, DataMap, JobId, JobName, ParameterError, Parameters, QueueName, Recurrence, RunTransaction, ScheduleId,
};
use crate::clock::Timestamp;

/// What a handler may know of the run it is in; cheap to clone.
///
/// ```
/// use jobs_runtime::prelude::*;
///
/// #[job]
/// async fn import(cx: JobContext, file: String) {
///     println!("job {} reads {file}, attempt {}", cx.job_id(), cx.attempt());
/// }
/// ```
#[derive(Clone)]
pub struct JobContext(Arc<ContextParts>);

pub(crate) struct ContextParts {
    pub(crate) id: JobId,
    /// Which delivery runs.
    pub(crate) token: i64,
    pub(crate) name: JobName,
    pub(crate) queue: QueueName,
    pub(crate) attempt: u32,
    pub(crate) retries: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) recurrence: Option<Recurrence>,
    pub(crate) parameters: Mutex<Parameters>,
    /// Of those who change them, one at a time.
    pub(crate) parameters_turn: tokio::sync::Mutex<()>,
    pub(crate) cancellation: CancellationToken,
    /// Whether the server shuts down, and can't wait for it any longer.
    pub(crate) interrupted: Arc<AtomicBool>,
    pub(crate) data: Arc<DataMap>,
    pub(crate) transaction: RunTransaction,
}

impl JobContext {
    pub(crate) fn new(parts: ContextParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The job's id.
    #[must_use]
    pub fn job_id(&self) -> JobId {
        self.0.id
    }

    /// The name under which the job is stored; an alias if it was stored under one.
    #[must_use]
    pub fn name(&self) -> &JobName {
        &self.0.name
    }

    /// The queue from which the job was taken.
    #[must_use]
    pub fn queue(&self) -> &QueueName {
        &self.0.queue
    }

    /// Which run this is: 1 for the first, 2 for the first retry. A lost run (its server died) counts.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// How many retries the job has in all; the last run is attempt `max_retries + 1`.
    #[must_use]
    pub fn max_retries(&self) -> u32 {
        self.0.retries
    }

    /// When the job was created.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// The schedule that made the job, if one did.
    #[must_use]
    pub fn schedule(&self) -> Option<&ScheduleId> {
        self.0.recurrence.as_ref().map(|made| &made.schedule)
    }

    /// The slot of its schedule that the job was made for: the time at which it was due. `None` if no schedule made the
    /// job, or someone triggered it by hand.
    ///
    /// It is the same in every attempt. See [`Misfire`](crate::schedule::Misfire) for what it is when slots were missed.
    #[must_use]
    pub fn slot(&self) -> Option<Timestamp> {
        self.0.recurrence.as_ref()?.slot
    }

    /// What is stored beside the job's arguments under this name, if there is something.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Type`] if it is no `T`.
    pub fn parameter<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ParameterError> {
        self.parameters_mut().get(name)
    }

    /// All that is stored beside the job's arguments.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        self.parameters_mut().clone()
    }

    pub(crate) fn parameters_mut(&self) -> MutexGuard<'_, Parameters> {
        self.0.parameters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn of one who changes the parameters.
    pub(crate) async fn parameters_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.parameters_turn.lock().await
    }

    /// Which delivery of the job this is.
    pub(crate) fn token(&self) -> i64 {
        self.0.token
    }

    /// Whether the run was told to stop because its server shuts down; it is then given back, unless it succeeds.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.0.interrupted.load(Ordering::Acquire)
    }

    /// Cancelled when the job is deleted or requeued while it runs, when its time is up, and when its server
    /// shuts down.
    #[must_use]
    pub fn cancellation_token(&self) -> CancellationToken {
        self.0.cancellation.clone()
    }

    /// Whether the run should stop; a loop of a blocking job asks it now and then.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancellation.is_cancelled()
    }

    /// The value of type `T` that the server shares, if it has one.
    #[must_use]
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<Data<T>> {
        self.0.data.get()
    }

    /// The transaction of the run, if its handler begins one.
    pub(crate) fn transaction(&self) -> &RunTransaction {
        &self.0.transaction
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job_id", &self.0.id)
            .field("name", &self.0.name)
            .field("queue", &self.0.queue)
            .field("attempt", &self.0.attempt)
            .finish_non_exhaustive()
    }
}
