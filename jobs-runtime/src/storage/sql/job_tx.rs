use std::{fmt, marker::PhantomData, sync::Arc};

use sqlx::Transaction;

use super::TransactionDatabase;
use crate::{
    job::{FromContext, JobContext, JobError, Requirements},
    storage::{
        AppTransaction, JobTransaction, OngoingTransaction, RunStorage, Storage, StorageError, StorageResult,
        sealed::Sealed,
    },
};

/// The transaction of a run: what the handler writes in it, and that the job has succeeded, are committed together.
///
/// A job runs at least once: when its process dies after it has done its work, and before that is recorded, it runs again.
/// What is written in this transaction is written exactly once all the same, because each is committed with the other or
/// not at all.
///
/// ```no_run
/// use jobs_runtime::prelude::*;
///
/// #[job]
/// async fn charge(mut tx: JobTx<sqlx::Sqlite>, order: i64) -> anyhow::Result<()> {
///     let tx = tx.begin().await?;
///     sqlx::query("UPDATE orders SET charged = true WHERE id = ?").bind(order).execute(&mut **tx).await?;
///     NotifyShop::enqueue(order).in_tx(tx).await?;
///     Ok(())
/// }
///
/// #[job]
/// async fn notify_shop(order: i64) {}
/// # fn main() {}
/// ```
///
/// # How it ends
///
/// - The handler returns its result: the transaction is committed with the job's success. If the job was deleted, requeued
///   or given to another server meanwhile, it is rolled back instead.
/// - The handler returns an error, panics, runs out of time, or is cancelled: it is rolled back, and the job goes the way
///   that it would go without it.
/// - The commit fails: so has the run, and the job is retried as after any other error. If the database did commit and
///   only the reply was lost, the job has succeeded, and that is found out before it is retried.
///
/// Nothing is begun before the first [`begin`](Self::begin); a job that doesn't call it ends as one without a `JobTx`.
///
/// # Where it comes from
///
/// The server's storage must be in the database `DB`, of sqlx 0.9; a server with another one refuses to start. The
/// connections are not those of the storage itself: on PostgreSQL and MySQL there are as many for handlers as
/// `max_connections` says, and a handler that finds none waits. Where the storage was made
/// [of the application's pool](crate::storage), there are as many as that may have, made in the same way.
///
/// On PostgreSQL the transaction has the isolation level of the database's settings, on MySQL it is READ COMMITTED. On
/// SQLite it is begun with `BEGIN IMMEDIATE`: until it ends nobody else writes to the file, so handlers take turns, and
/// a handler that enqueues a job outside of its transaction would wait for itself. Keep it short, and begin it late.
///
/// # What to leave alone
///
/// The handler must not end the transaction: no `COMMIT` or `ROLLBACK`, and on MySQL no statement that commits by itself,
/// such as `CREATE TABLE`. It must not keep the `JobTx` in a task that outlives it. Either fails the run. Savepoints, such
/// as `tx.begin()` of sqlx makes, are fine.
///
/// A job that is not `async` uses it by `tokio::runtime::Handle::current().block_on(…)`.
pub struct JobTx<DB: TransactionDatabase> {
    cx: JobContext,
    storage: Arc<dyn Storage>,
    begun: Option<JobTransaction>,
    database: PhantomData<fn() -> DB>,
}

impl<DB: TransactionDatabase> JobTx<DB> {
    /// The run's transaction: begun by the first call, and the same in all others.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if it can't be begun: the database fails, no connection is free in time, the run has ended, or
    /// another `JobTx` of the same run has begun it.
    pub async fn begin(&mut self) -> StorageResult<&mut Transaction<'static, DB>> {
        if self.begun.is_none() {
            self.begun = Some(begin(&self.cx, &*self.storage).await?);
        }
        let transaction = self.begun.as_mut().and_then(JobTransaction::get_mut);
        transaction.ok_or_else(|| failed(&*self.storage, OtherDatabase(DB::NAME)))
    }
}

/// The transaction of the run, begun now or before.
async fn begin(cx: &JobContext, storage: &dyn Storage) -> StorageResult<JobTransaction> {
    let taken = cx.transaction().take().map_err(|error| failed(storage, error))?;
    if let Some(begun) = taken.and_then(|begun| begun.downcast().ok()) {
        return Ok(*begun);
    }
    // If this future is dropped meanwhile, nothing was begun.
    let beginning = Beginning(Some(cx));
    let begun = storage.begin_transaction().await?;
    beginning.done();
    Ok(begun)
}

/// Gives the place of the run's transaction back, unless it was begun.
struct Beginning<'c>(Option<&'c JobContext>);

impl Beginning<'_> {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        if let Some(cx) = self.0 {
            cx.transaction().put_back(None);
        }
    }
}

/// The server ends what was begun.
impl<DB: TransactionDatabase> Drop for JobTx<DB> {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.cx.transaction().put_back(Some(Box::new(begun)));
        }
    }
}

impl<DB: TransactionDatabase> FromContext for JobTx<DB> {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        let storage = cx.data::<RunStorage>().map(|storage| Arc::clone(&storage.0));
        let storage =
            storage.ok_or_else(|| JobError::permanent(format!("job {} runs outside a server", cx.job_id())))?;
        Ok(Self { cx: cx.clone(), storage, begun: None, database: PhantomData })
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.transactions(DB::NAME);
    }
}

impl<DB: TransactionDatabase> Sealed for JobTx<DB> {}

/// It is begun, if it was not.
impl<DB: TransactionDatabase> AppTransaction for JobTx<DB> {
    async fn ongoing(&mut self) -> StorageResult<OngoingTransaction<'_>> {
        self.begin().await?.ongoing().await
    }

    fn database(&self) -> &'static str {
        DB::NAME
    }
}

impl<DB: TransactionDatabase> fmt::Debug for JobTx<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobTx").field("begun", &self.begun.is_some()).finish_non_exhaustive()
    }
}

/// The server checks at its start that this can't be.
#[derive(Debug, thiserror::Error)]
#[error("the server's storage has no transactions of {0}")]
struct OtherDatabase(&'static str);

fn failed(storage: &dyn Storage, error: impl std::error::Error + Send + Sync + 'static) -> StorageError {
    StorageError::Failed { storage: storage.describe(), source: Box::new(error) }
}

/// A handler's statement has ended or broken the transaction of its run.
#[derive(Debug, thiserror::Error)]
#[error(
    "the transaction of the run can't be committed: one of the handler's statements has ended it, or has failed in it: \
     {0}"
)]
pub(crate) struct EndedByHandler(#[source] sqlx::Error);

impl EndedByHandler {
    pub(crate) fn explain(storage: String, error: sqlx::Error) -> StorageError {
        let source: Box<dyn std::error::Error + Send + Sync> = match error {
            error @ sqlx::Error::Database(_) => Box::new(Self(error)),
            error => Box::new(error),
        };
        StorageError::Failed { storage, source }
    }
}
