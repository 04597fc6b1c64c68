//! Transactions that are not the storage's own: the application's, and those in which handlers write.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Sqlite as Lite, SqliteConnection, SqlitePool, Transaction, sqlite::SqlitePoolOptions};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{
    Shared,
    connection::{BUSY, code},
    enqueue::Enqueue,
    finish::FinishBatch,
    options::SqliteOptions,
    tx::{Task as _, Tx},
};
use crate::storage::{
    Finish, JobTransaction, NewJob, OngoingTransaction, Recorded, StorageError, StorageResult,
    signals::Effects,
    sql::{EndedByHandler, Savepoint, begin_savepoint},
};

/// The turns in which this process writes to the file: those of the writer, and those of handlers.
///
/// Without them, handlers that write one after the other would hardly ever leave the writer a gap to begin in, and the
/// heartbeat with it. A handler has its turn when all that asked before have had theirs, but the writer when the handler
/// that writes at present has ended.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    /// Of handlers among themselves.
    handlers: Arc<Semaphore>,
    /// Of one of them and the writer.
    file: Arc<Semaphore>,
}

/// The turn of one who writes, until it is dropped.
pub(super) struct Turn {
    _file: OwnedSemaphorePermit,
    _of_handlers: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { handlers: Arc::new(Semaphore::new(1)), file: Arc::new(Semaphore::new(1)) }
    }

    /// The writer's turn; `None` if it does not come in time.
    pub(super) async fn of_writer(&self, limit: Duration) -> Option<Turn> {
        let file = tokio::time::timeout(limit, Arc::clone(&self.file).acquire_owned()).await.ok()?.ok()?;
        Some(Turn { _file: file, _of_handlers: None })
    }

    /// The turn of a handler; `None` if it does not come in time.
    async fn of_handler(&self, limit: Duration) -> Option<Turn> {
        let turn = async {
            let of_handlers = Arc::clone(&self.handlers).acquire_owned().await.ok()?;
            let file = Arc::clone(&self.file).acquire_owned().await.ok()?;
            Some(Turn { _file: file, _of_handlers: Some(of_handlers) })
        };
        tokio::time::timeout(limit, turn).await.ok()?
    }
}

/// A handler of this process has kept the writer waiting for too long.
#[derive(Debug, thiserror::Error)]
#[error(
    "the transaction of a handler (`JobTx`) was open for longer than `busy_timeout`, and only one can write at a time"
)]
pub(super) struct NoTurn;

/// The connection on which handlers write; it waits for locks by itself.
pub(super) fn pool(options: &SqliteOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.common.transaction_timeout)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::query("PRAGMA busy_timeout = 0").execute(connection).await.map(drop) })
        })
        .before_acquire(|connection, _| {
            // One whose count of transactions went wrong, as it does when SQLite ends one by itself, is not used again.
            let is_good = !sqlx::Connection::is_in_transaction(connection);
            Box::pin(async move { Ok(is_good) })
        })
        .connect_lazy_with(options.connect_options())
}

/// Stores jobs in a transaction of the application's: all of them and what belongs to them, or nothing. The writer notices the
/// commit as that of any other process.
pub(super) async fn enqueue_in(
    shared: &Shared,
    transaction: OngoingTransaction<'_>,
    jobs: Vec<NewJob>,
) -> StorageResult<()> {
    let connection = transaction.connection().ok_or_else(|| no_transactions(shared))?;
    begin_savepoint::<Lite>(connection).await.map_err(|error| shared.failed(error))?;
    let mut part = Savepoint::<Lite>::begun(connection);
    Enqueue(jobs).run(&mut tx(shared, part.connection())).await.map_err(explain_busy)?;
    part.keep().await.map_err(|error| shared.failed(error))
}

/// Begins a transaction for a handler.
pub(super) async fn begin(shared: &Shared, pool: &SqlitePool) -> StorageResult<JobTransaction> {
    let limit = shared.options.common.transaction_timeout;
    let timeout = || StorageError::timeout(shared.url(), "begin_transaction", limit);
    let turn = shared.turns.of_handler(limit).await.ok_or_else(timeout)?;
    let began = Instant::now();
    loop {
        match pool.begin_with("BEGIN IMMEDIATE; SAVEPOINT jobs_run").await {
            Ok(transaction) => return Ok(JobTransaction::new(transaction, Handle::current()).holding(turn)),
            // Another process writes.
            Err(error) if code(&error) == Some(BUSY) && began.elapsed() < shared.options.busy_timeout => {
                tokio::time::sleep(Duration::from_micros(fastrand::u64(1_000..2_000))).await;
            }
            Err(sqlx::Error::PoolClosed) => return Err(StorageError::Closed { storage: shared.url() }),
            Err(error) => return Err(shared.failed(error)),
        }
    }
}

/// Records an outcome in the transaction of its run, and commits both.
pub(super) async fn finish_in(shared: &Shared, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
    let (transaction, turn) = transaction.into_parts().ok_or_else(|| no_transactions(shared))?;
    let recorded = record_in(shared, transaction, finish).await;
    drop(turn);
    recorded
}

async fn record_in(
    shared: &Shared,
    mut transaction: Transaction<'static, Lite>,
    finish: Finish,
) -> StorageResult<Recorded> {
    let released = sqlx::raw_sql("RELEASE SAVEPOINT jobs_run").execute(&mut *transaction).await;
    released.map_err(|error| EndedByHandler::explain(shared.url(), error))?;
    let mut tx = tx(shared, &mut transaction);
    let recorded = FinishBatch(vec![finish]).run(&mut tx).await?;
    let effects = tx.effects;
    if recorded != [Recorded::Stored] {
        // An error would not change it: what is not committed is not written.
        let _ = transaction.rollback().await;
        return Ok(Recorded::Fenced);
    }
    transaction.commit().await.map_err(|error| shared.failed(error))?;
    effects.announce(&shared.signals);
    Ok(Recorded::Stored)
}

fn tx<'c>(shared: &'c Shared, connection: &'c mut SqliteConnection) -> Tx<'c> {
    Tx { connection, shared, now: shared.clock.now(), effects: Effects::default() }
}

fn no_transactions(shared: &Shared) -> StorageError {
    StorageError::NoTransactions { storage: shared.url() }
}

/// A transaction of the application's that could not begin to write.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0}; while one transaction writes no other can, and one that has read before it writes may never be able to: begin \
     it with `pool.begin_with(\"BEGIN IMMEDIATE\")`"
)]
struct CantWrite(#[source] sqlx::Error);

fn explain_busy(error: StorageError) -> StorageError {
    match error {
        StorageError::Failed { storage, source } => match source.downcast::<sqlx::Error>() {
            Ok(error) if code(&error) == Some(BUSY) => {
                StorageError::Failed { storage, source: Box::new(CantWrite(*error)) }
            }
            Ok(error) => StorageError::Failed { storage, source: error },
            Err(source) => StorageError::Failed { storage, source },
        },
        error => error,
    }
}
