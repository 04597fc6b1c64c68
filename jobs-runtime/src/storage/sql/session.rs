use std::future::Future;

use super::{
    rows::Reader,
    stored::{Stored, stored},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{Retention, StorageError, StorageResult, signals::Effects},
};

/// A connection on which the statements are run that all SQL storages share.
///
/// They are written once, as templates: `?` is the next parameter, `{p}` stands before the name of each table, and what
/// databases write differently has a name in braces, see [`Dialect`](super::Dialect).
pub(crate) trait Session: Send {
    type Row: Columns;

    /// The storage's URL without secrets.
    fn storage(&self) -> String;

    /// Runs a statement; returns how many rows it changed.
    fn execute(
        &mut self,
        template: &'static str,
        params: Vec<Param>,
    ) -> impl Future<Output = StorageResult<u64>> + Send;

    /// Runs a query.
    fn fetch(
        &mut self,
        template: &'static str,
        params: Vec<Param>,
    ) -> impl Future<Output = StorageResult<Vec<Self::Row>>> + Send;

    /// Runs a query whose text was put together for it.
    fn fetch_text(
        &mut self,
        template: String,
        params: Vec<Param>,
    ) -> impl Future<Output = StorageResult<Vec<Self::Row>>> + Send;
}

/// A session in a write transaction.
pub(crate) trait Write: Session {
    /// What the storage's clock showed when the transaction began.
    fn now(&self) -> Timestamp;

    fn retention(&self) -> Retention;

    /// Finds a job; nobody else moves it by the way of single jobs until the transaction ends.
    fn find(&mut self, id: JobId) -> impl Future<Output = StorageResult<Option<Stored>>> + Send
    where
        Self: Sized,
    {
        stored(self, id)
    }

    /// Locks the bodies of jobs that are about to be moved one by one, in one order whoever does it, where others may do so
    /// at the same time.
    fn lock(&mut self, _ids: Vec<JobId>) -> impl Future<Output = StorageResult<()>> + Send
    where
        Self: Sized,
    {
        async { Ok(()) }
    }

    /// Notes where a job waits or runs that others await it; returns whether it still was there.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn note_awaited(&mut self, job: &Stored) -> impl Future<Output = StorageResult<bool>> + Send
    where
        Self: Sized,
    {
        super::attach::note_awaited(self, job)
    }

    /// What the transaction has brought about so far.
    fn effects(&mut self) -> &mut Effects;

    /// A number that is larger than those of all jobs that wait in queues.
    fn next_place(&mut self) -> impl Future<Output = StorageResult<i64>> + Send;

    /// A number that no other call returns.
    fn next_version(&mut self) -> impl Future<Output = StorageResult<i64>> + Send;

    /// Puts a job that left another state into its queue.
    fn wait_in_queue(&mut self, job: &Stored, place: i64) -> impl Future<Output = StorageResult<()>> + Send;

    /// Adds to the statistics of the present hour.
    fn count(&mut self, state: StateName, jobs: u64) -> impl Future<Output = StorageResult<()>> + Send;

    /// Stores jobs of schedules, but for those whose slot has a job already; none of them awaits another.
    fn store(&mut self, jobs: &[&crate::storage::NewJob]) -> impl Future<Output = StorageResult<()>> + Send;
}

/// What is written within one transaction; it may be run again when the transaction has failed.
pub(crate) trait Verb: Send + Sync + 'static {
    type Answer: Send + Sync + 'static;

    fn run<S: Write>(&self, tx: &mut S) -> impl Future<Output = StorageResult<Self::Answer>> + Send;
}

/// What is read, at one and the same moment.
pub(crate) trait Query: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Whether it is several statements that must see the same.
    const SEVERAL: bool = false;

    fn run<S: Session>(&self, session: &mut S) -> impl Future<Output = StorageResult<Self::Answer>> + Send;
}

/// A parameter of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Param {
    Int(Option<i64>),
    Text(Option<String>),
    Id(Option<JobId>),
    /// Any number of ids, for `{in_ids}`.
    Ids(Vec<JobId>),
}

/// A row of a result, whichever the database.
pub(crate) trait Columns: Send + Sync {
    fn int(&self, column: &str) -> sqlx::Result<Option<i64>>;
    fn text(&self, column: &str) -> sqlx::Result<Option<String>>;
    fn id(&self, column: &str) -> sqlx::Result<Option<JobId>>;
}

/// Reads all rows of a result with the same function.
pub(crate) fn read<S: Session, T>(
    session: &S,
    rows: &[S::Row],
    read: impl Fn(&Reader<'_, S::Row>) -> StorageResult<T>,
) -> StorageResult<Vec<T>> {
    let storage = session.storage();
    rows.iter().map(|row| read(&Reader { row, storage: &storage })).collect()
}

/// An error for rows that are not as this library writes them.
pub(crate) fn corrupt(storage: &str, reason: impl Into<String>) -> StorageError {
    StorageError::Corrupt { storage: storage.to_owned(), reason: reason.into() }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Param {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Param {
    fn from(number: u32) -> Self {
        Self::Int(Some(i64::from(number)))
    }
}

impl From<usize> for Param {
    fn from(number: usize) -> Self {
        Self::Int(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<Timestamp> for Param {
    fn from(moment: Timestamp) -> Self {
        Self::Int(Some(moment.timestamp_micros()))
    }
}

impl From<Option<Timestamp>> for Param {
    fn from(moment: Option<Timestamp>) -> Self {
        Self::Int(moment.map(|moment| moment.timestamp_micros()))
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Param {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<JobId> for Param {
    fn from(id: JobId) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Vec<JobId>> for Param {
    fn from(ids: Vec<JobId>) -> Self {
        Self::Ids(ids)
    }
}

/// The parameters of a statement, in their order.
macro_rules! params {
    ($($param:expr),* $(,)?) => { vec![$($crate::storage::sql::Param::from($param)),*] };
}
pub(crate) use params;
