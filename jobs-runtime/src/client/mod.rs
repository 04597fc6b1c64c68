//! Storing jobs and steering them.

mod change;
mod create;
mod current;
mod enqueue;
mod error;
mod handle;
mod in_tx;
mod lock;
pub(crate) mod recurring;

use std::{sync::Arc, time::Duration};

pub(crate) use self::create::{Creations, Superseded};
#[doc(hidden)]
pub use self::current::blocking;
pub use self::{
    change::ChangeError,
    current::set_client,
    enqueue::{Enqueue, EnqueueFuture, IntoDelay, IntoNewJob},
    error::{EnqueueError, NegativeDelay},
    handle::{JobHandle, WaitError},
    in_tx::EnqueueIn,
    lock::{Lock, LockError},
    recurring::{
        Defined, DroppedSlots, IntoInvocation, LastRun, Recurring, Schedule, ScheduleDefinition, ScheduleError,
        ScheduleFault,
    },
};
use crate::{
    filter::{Filter, Filters},
    job::{Invocation, Job, JobId},
    storage::{JobDetails, Monitor, NewJob, Storage, StorageError, StorageResult},
};

/// Stores jobs in a storage, looks at them and moves them; cheap to clone.
///
/// ```
/// use jobs_runtime::prelude::*;
///
/// #[job]
/// async fn greet(name: String) {
///     println!("hello {name}");
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::new(jobs_runtime::storage::connect("memory:").await?);
/// let handle = client.enqueue(Greet::new("Ada")).await?;
/// assert!(client.job(handle.id()).await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    storage: Arc<dyn Storage>,
    max_payload: usize,
    filters: Filters,
    lock_lease: Duration,
}

impl Client {
    /// The longest arguments that are stored, unless [`with_max_payload`](Self::with_max_payload) says otherwise:
    /// 1 MiB of JSON.
    pub const DEFAULT_MAX_PAYLOAD: usize = 1024 * 1024;

    /// How long a [lock](Self::lock) is held after its process was last heard of, unless
    /// [`with_lock_lease`](Self::with_lock_lease) says otherwise: 30 s.
    pub const DEFAULT_LOCK_LEASE: Duration = Duration::from_secs(30);

    /// A client of `storage`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(Arc::new(Inner {
            storage,
            max_payload: Self::DEFAULT_MAX_PAYLOAD,
            filters: Filters::default(),
            lock_lease: Self::DEFAULT_LOCK_LEASE,
        }))
    }

    /// A client of the same storage that refuses arguments of more than `bytes` of JSON.
    #[must_use]
    pub fn with_max_payload(&self, bytes: usize) -> Self {
        self.with(|inner| inner.max_payload = bytes)
    }

    /// A client of the same storage whose [locks](Self::lock) are free when their process was not heard of for this time; it
    /// says three times as often that it lives. At least 100 ms.
    #[must_use]
    pub fn with_lock_lease(&self, lease: Duration) -> Self {
        self.with(|inner| inner.lock_lease = lease.max(Duration::from_millis(100)))
    }

    pub(super) fn lock_lease(&self) -> Duration {
        self.0.lock_lease
    }

    /// A client of the same storage that asks one more [filter](crate::filter) about all jobs that it creates or moves.
    #[must_use]
    pub fn with_filter(&self, filter: impl Filter) -> Self {
        self.with(|inner| inner.filters.add(filter, None))
    }

    /// The same for a filter of one job only.
    #[must_use]
    pub fn with_filter_for<J: Job>(&self, filter: impl Filter) -> Self {
        self.with(|inner| inner.filters.add(filter, Some(J::NAME)))
    }

    /// The same client with a change.
    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = self.0.as_ref().clone();
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// The storage.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.0.storage
    }

    /// The read side of the storage.
    #[must_use]
    pub fn monitor(&self) -> &dyn Monitor {
        &*self.0.storage
    }

    /// Prepares to store a job; nothing happens before the returned builder is awaited.
    pub fn enqueue<J: Job>(&self, job: J) -> Enqueue<J> {
        Enqueue::new(job).with(self)
    }

    /// Stores many jobs at once, all or none: jobs, [`Enqueue`] builders, or [`NewJob`]s.
    ///
    /// ```
    /// # use jobs_runtime::prelude::*;
    /// # #[job] async fn greet(name: String) {}
    /// # async fn example(client: Client) -> Result<(), EnqueueError> {
    /// let handles = client.enqueue_all(["Ada", "Grace"].map(Greet::new)).await?;
    /// let later = std::time::Duration::from_secs(60);
    /// client.enqueue_all(["Ada", "Grace"].map(|name| Greet::enqueue(name).delay(later))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EnqueueError`] if any of them can't be stored, or is bound to a client of another storage; then none is.
    pub async fn enqueue_all<I: IntoNewJob>(
        &self,
        jobs: impl IntoIterator<Item = I>,
    ) -> Result<Vec<JobHandle<I::Output>>, EnqueueError> {
        let jobs = self.prepare_all(jobs)?;
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        self.create(jobs).await?;
        Ok(ids.into_iter().map(|id| JobHandle::new(self.clone(), id)).collect())
    }

    /// A call of a job whose type this program doesn't have, ready for [`enqueue_all`](Self::enqueue_all):
    /// enqueued into the queue `default`; change its fields to choose otherwise.
    ///
    /// # Errors
    ///
    /// [`EnqueueError::PayloadTooLarge`].
    pub fn prepare(&self, invocation: Invocation) -> Result<NewJob, EnqueueError> {
        self.check_size(&invocation)?;
        let now = self.0.storage.clock().now();
        Ok(NewJob::new(JobId::generate(now), invocation, now))
    }

    /// All that is known of a job, or `None` if there is none of that id (any more).
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn job(&self, id: impl Into<JobId>) -> StorageResult<Option<JobDetails>> {
        self.0.storage.job(id.into()).await
    }

    /// A typed view of a stored job, to wait for its result.
    ///
    /// `T` must be what the job returns; it is checked when the result is read.
    #[must_use]
    pub fn handle<T>(&self, id: JobId) -> JobHandle<T> {
        JobHandle::new(self.clone(), id)
    }

    fn prepare_all<I: IntoNewJob>(&self, jobs: impl IntoIterator<Item = I>) -> Result<Vec<NewJob>, EnqueueError> {
        jobs.into_iter().map(|job| job.into_new_job(self)).collect()
    }

    /// The filters that it asks, beside those that stand in the source.
    pub(crate) fn filters(&self) -> &Filters {
        &self.0.filters
    }

    pub(crate) fn with_filters(&self, filters: &Filters) -> Self {
        self.with(|inner| inner.filters.extend(filters))
    }

    /// Stores jobs, and asks once more when it is not known whether they are stored: they have their ids already, so
    /// none is stored twice.
    async fn store(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        match self.0.storage.enqueue(jobs.clone()).await {
            Err(StorageError::Timeout { .. } | StorageError::Failed { .. }) => {
                tokio::time::sleep(PAUSE).await;
                self.0.storage.enqueue(jobs).await
            }
            answer => answer,
        }
    }

    fn shares_storage(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.storage, &other.0.storage)
    }

    fn check_size(&self, invocation: &Invocation) -> Result<(), EnqueueError> {
        let bytes = invocation.arguments().len();
        if bytes <= self.0.max_payload {
            return Ok(());
        }
        Err(EnqueueError::PayloadTooLarge { job: invocation.name().clone(), bytes, limit: self.0.max_payload })
    }
}

/// How long to wait before an enqueue is repeated.
const PAUSE: Duration = Duration::from_millis(50);
