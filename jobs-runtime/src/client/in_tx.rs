use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use super::{Client, Enqueue, EnqueueError, IntoNewJob, JobHandle};
use crate::{
    job::{Job, JobId, JobName},
    storage::{AppTransaction, NewJob},
};

impl<J: Job> Enqueue<J> {
    /// Stores it in a transaction of the application's own: it is there if and when that is committed, and then a worker
    /// that waits for it is woken. With a rollback it is gone.
    ///
    /// ```no_run
    /// use jobs_runtime::prelude::*;
    ///
    /// #[job]
    /// async fn send_welcome(user_id: i64) {}
    ///
    /// # async fn example(pool: sqlx::SqlitePool) -> anyhow::Result<()> {
    /// let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    /// sqlx::query("INSERT INTO users (id) VALUES (42)").execute(&mut *tx).await?;
    /// let handle = SendWelcome::enqueue(42).in_tx(&mut tx).await?;
    /// tx.commit().await?;
    /// // From here on the handle is of use.
    /// # let _ = handle;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The transaction is one of sqlx 0.9, on the database that the client's storage is in: with PostgreSQL on the same
    /// server and database, with MySQL with the same database chosen, with SQLite on the same file. Whatever else can be
    /// told to a job can be told before, [`after`](Self::after) a job of the same transaction included.
    ///
    /// # Errors
    ///
    /// As for any other enqueue, and [`EnqueueError::OtherDatabase`]. What the database refuses can't be tried again within
    /// someone else's transaction, so it is not.
    ///
    /// The job is stored behind a savepoint. After an error, or when the future is dropped before its end, nothing of it is
    /// in the transaction, which can be gone on with and committed; unless the database has ended it, as MySQL does in a
    /// deadlock, and then the transaction's next statement fails. With MySQL a transaction of which a future was dropped is
    /// better dropped too: the driver may be in the middle of a reply.
    ///
    /// # What the databases do
    ///
    /// - **SQLite** lets one transaction write at a time. While yours does, everyone else who wants to waits, servers
    ///   included. One that has read before it writes fails (`SQLITE_BUSY_SNAPSHOT`) if anyone wrote in between; begin it
    ///   with `begin_with("BEGIN IMMEDIATE")`, as above.
    /// - **PostgreSQL** and **MySQL**: a job that is awaited by one of yours stays where it is until your transaction ends. A
    ///   server that ran it waits until then to record that, and other outcomes with it. So keep such a transaction short.
    ///   In one that is more strictly isolated than READ COMMITTED, PostgreSQL may refuse to let a job await another one
    ///   that has moved on since the transaction began.
    /// - **PostgreSQL** wakes workers by `NOTIFY`, which is part of the transaction; **MySQL** tells nobody of a commit, so
    ///   the storage looks for it, at short intervals first, and for a minute at most. After that a job is found within some
    ///   seconds.
    pub fn in_tx<T: AppTransaction>(self, tx: &mut T) -> EnqueueIn<'_, J, T> {
        EnqueueIn { enqueue: self, tx }
    }
}

/// A job about to be stored in a transaction of the application's, by [`Enqueue::in_tx`]. Await it to store it.
#[must_use = "nothing is stored before it is awaited"]
pub struct EnqueueIn<'t, J, T> {
    enqueue: Enqueue<J>,
    tx: &'t mut T,
}

impl<J: Job, T: AppTransaction> EnqueueIn<'_, J, T> {
    async fn store(mut self) -> Result<JobHandle<J::Output>, EnqueueError> {
        let client = self.enqueue.take_client()?;
        let new = self.enqueue.prepare(&client)?;
        let id = new.id;
        client.store_in(self.tx, J::NAME, vec![new]).await?;
        Ok(JobHandle::new(client, id))
    }
}

impl<'t, J: Job, T: AppTransaction> IntoFuture for EnqueueIn<'t, J, T> {
    type Output = Result<JobHandle<J::Output>, EnqueueError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 't>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.store())
    }
}

impl<J: fmt::Debug, T> fmt::Debug for EnqueueIn<'_, J, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnqueueIn").field("enqueue", &self.enqueue).finish_non_exhaustive()
    }
}

impl Client {
    /// Stores many jobs at once in a transaction of the application's own: [`enqueue_all`](Self::enqueue_all) as
    /// [`in_tx`](Enqueue::in_tx).
    ///
    /// ```no_run
    /// # use jobs_runtime::prelude::*;
    /// # #[job] async fn greet(name: String) {}
    /// # async fn example(client: Client, pool: sqlx::SqlitePool) -> anyhow::Result<()> {
    /// let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    /// client.enqueue_all_in(&mut tx, ["Ada", "Grace"].map(Greet::new)).await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`enqueue_all`](Self::enqueue_all) and [`in_tx`](Enqueue::in_tx).
    pub async fn enqueue_all_in<I: IntoNewJob, T: AppTransaction>(
        &self,
        tx: &mut T,
        jobs: impl IntoIterator<Item = I>,
    ) -> Result<Vec<JobHandle<I::Output>>, EnqueueError> {
        let jobs = self.prepare_all(jobs)?;
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        if let Some(first) = jobs.first() {
            self.store_in(tx, first.invocation.name().clone(), jobs).await?;
        }
        Ok(ids.into_iter().map(|id| JobHandle::new(self.clone(), id)).collect())
    }

    /// Stores jobs in a transaction; `job` is the first of them.
    async fn store_in<T: AppTransaction>(
        &self,
        tx: &mut T,
        job: JobName,
        jobs: Vec<NewJob>,
    ) -> Result<(), EnqueueError> {
        let (storage, transaction) = (self.storage(), tx.database());
        if storage.database() != Some(transaction) {
            return Err(EnqueueError::OtherDatabase { job, transaction, storage: storage.describe() });
        }
        let ongoing = tx.ongoing().await?;
        self.create_by(jobs, |jobs| storage.enqueue_in(ongoing, jobs)).await
    }
}
