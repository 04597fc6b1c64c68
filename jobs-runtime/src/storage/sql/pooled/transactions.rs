//! Transactions that are not the storage's own: the application's, and those in which handlers write.

use std::{sync::atomic::Ordering, time::Duration};

use sqlx::{SqlStr, Transaction};

use super::{Connection, Driver, Shared, Tx, Work};
use crate::storage::{
    Finish, JobTransaction, NewJob, OngoingTransaction, Recorded, StorageError, StorageResult,
    signals::Effects,
    sql::{EndedByHandler, SHARDS, Savepoint},
};

/// How long connections that handlers still use are waited for when the storage is closed.
const CLOSING: Duration = Duration::from_secs(1);

impl<D: Driver> Shared<D> {
    /// A connection in a transaction that may stay open for long. What it counts goes into rows of its own, so that no
    /// outcome of other jobs has to wait for it.
    fn others_tx<'c>(&'c self, connection: &'c mut Connection<D>) -> Tx<'c, D> {
        Tx { shard: SHARDS + fastrand::i64(0..SHARDS), ..self.tx(connection) }
    }

    /// Stores jobs in a transaction of the application's: all of them and what belongs to them, or nothing.
    pub(super) async fn enqueue_in(&self, transaction: OngoingTransaction<'_>, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.check_open()?;
        let connection = transaction.connection().ok_or_else(|| self.no_transactions())?;
        D::begin_savepoint(connection).await.map_err(|error| self.failed(error))?;
        let mut part = Savepoint::<D::Sqlx>::begun(connection);
        let mut tx = Tx { is_app: true, ..self.others_tx(part.connection()) };
        D::enqueue(jobs).run(&mut tx).await?;
        D::announce_in(&mut tx).await?;
        self.stored_in_others.fetch_add(1, Ordering::Relaxed);
        part.keep().await.map_err(|error| self.failed(error))
    }

    /// Begins a transaction for a handler.
    pub(super) async fn begin_job(&self) -> StorageResult<JobTransaction> {
        let begin = SqlStr::from_static(self.driver.begin_job());
        let begun = match self.handlers.begin_with(begin).await {
            Err(error) => return Err(self.no_connection(error, &self.handlers).await),
            Ok(begun) => begun,
        };
        let transaction = JobTransaction::new(begun, self.thread.clone()).rolled_back_by(self.driver.roll_back_job());
        Ok(transaction.holding(self.stored_in_others.load(Ordering::Relaxed)))
    }

    /// Records an outcome in the transaction of its run, and commits both.
    pub(super) async fn finish_in(&self, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
        let (transaction, stored_before) = transaction.into_parts().ok_or_else(|| self.no_transactions())?;
        let recorded = self.in_time(self.record_in(transaction, finish)).await;
        let stored = self.stored_in_others.load(Ordering::Relaxed);
        if stored_before.and_then(|before| before.downcast::<u64>().ok()).is_none_or(|before| *before != stored) {
            // Perhaps in this one, by the handler; and not every database tells of its commit.
            let new = Effects { ready: true, scheduled: true, ..Effects::default() };
            new.announce(&self.signals);
        }
        recorded.unwrap_or_else(|| Err(self.too_late()))
    }

    async fn record_in(
        &self,
        mut transaction: Transaction<'static, D::Sqlx>,
        finish: Finish,
    ) -> StorageResult<Recorded> {
        let checked = self.driver.check_open(&mut transaction).await;
        checked.map_err(|error| EndedByHandler::explain(self.url(), error))?;
        let mut tx = self.others_tx(&mut transaction);
        let recorded = D::finish_one(&mut tx, finish).await?;
        if recorded != [Recorded::Stored] {
            // An error would not change it: what is not committed is not written.
            let _ = transaction.rollback().await;
            return Ok(Recorded::Fenced);
        }
        D::before_commit(&mut tx).await?;
        let (effects, came_back) = (tx.effects, tx.came_back);
        transaction.commit().await.map_err(|error| self.broken(error))?;
        if came_back {
            self.driver.came_back();
        }
        effects.announce(&self.signals);
        self.driver.tell(effects);
        Ok(Recorded::Stored)
    }

    /// A handler that has kept its transaction is not waited for.
    pub(super) async fn close_handlers(&self) {
        let _ = tokio::time::timeout(CLOSING, self.handlers.close()).await;
    }

    fn no_transactions(&self) -> StorageError {
        StorageError::NoTransactions { storage: self.url() }
    }
}
