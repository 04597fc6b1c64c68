//! Jobs in a SQLite file, for one machine and any number of its processes.
//!
//! One writer a process groups everything that wants to write into few commits; readers have connections of
//! their own. The writer notices other processes' writes by the file's data version.

mod claim;
mod connection;
mod enqueue;
mod finish;
mod link;
mod options;
mod promote;
mod schema;
mod session;
mod statistics;
#[cfg(test)]
mod tests;
mod transactions;
mod tx;
mod writer;

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, SqliteConnection, SqlitePool};

pub use self::options::{SqliteOptions, Synchronous};
use self::{
    link::{Cause, Link},
    session::Reading,
    transactions::Turns,
    tx::SharedVerb,
    writer::Writer,
};
use super::{
    Claim, ClaimedJob, Finish, Intervals, JobTransaction, NewJob, OngoingTransaction, Promotion, Recorded, Signals,
    StorageError, StorageResult, Turn,
    sql::{Database, Query, Templates, Verb},
};
use crate::clock::Clock;

/// How often servers claim when no change of the file tells them to.
const SAFETY_INTERVAL: Duration = Duration::from_secs(5);

/// The database behind `sqlite://`.
#[derive(Debug)]
pub(crate) struct Sqlite {
    shared: Arc<Shared>,
    writer: Writer,
    readers: SqlitePool,
    /// What servers ask does not wait until pages of a dashboard are read.
    server_reader: SqlitePool,
    /// Handlers write on a connection of their own, so that it may stay in a transaction.
    handlers: SqlitePool,
}

/// What the storage and its writer both need.
#[derive(Debug)]
struct Shared {
    options: SqliteOptions,
    sql: Templates,
    clock: Clock,
    signals: Signals,
    turns: Turns,
}

impl Sqlite {
    pub(super) async fn open(options: SqliteOptions) -> StorageResult<Self> {
        options.check()?;
        let sql = Templates::new(options.table_prefix.clone(), &session::DIALECT);
        let shared = Arc::new(Shared {
            sql,
            clock: options.common.clock.clone().unwrap_or_default(),
            options,
            signals: Signals::default(),
            turns: Turns::new(),
        });
        let mut connection = connection::create(&shared.options).await?;
        schema::prepare(&mut connection, &shared).await?;
        Self::start(shared, connection).await
    }

    /// Starts the writer with this connection.
    async fn start(shared: Arc<Shared>, connection: SqliteConnection) -> StorageResult<Self> {
        let readers = connection::readers(&shared.options, 4);
        let server_reader = connection::readers(&shared.options, 1);
        let handlers = transactions::pool(&shared.options);
        let link = Link::new(Arc::clone(&shared), connection).await?;
        let writer = Writer::start(Arc::clone(&shared), link)?;
        Ok(Self { shared, writer, readers, server_reader, handlers })
    }
}

impl Shared {
    fn url(&self) -> String {
        self.options.url()
    }

    fn failed(&self, source: sqlx::Error) -> StorageError {
        if connection::code(&source) == Some(connection::TOO_BIG) {
            let (storage, reason) = (self.url(), source.to_string());
            return StorageError::Refused { storage, reason, source: Some(Box::new(source)) };
        }
        StorageError::Failed { storage: self.url(), source: Box::new(source) }
    }

    /// One error for each of those whom it concerns.
    fn failed_for_all(&self, cause: &Cause) -> StorageError {
        StorageError::Failed { storage: self.url(), source: Box::new(Arc::clone(cause)) }
    }
}

impl Database for Sqlite {
    fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    fn signals(&self) -> &Signals {
        &self.shared.signals
    }

    fn describe(&self) -> String {
        self.shared.url()
    }

    /// The writer looks whether other processes wrote; servers need not.
    fn intervals(&self) -> Intervals {
        let set = self.shared.options.common.intervals;
        Intervals { queue_poll: set.queue_poll.max(SAFETY_INTERVAL), ..set }
    }

    fn list_limit(&self) -> u64 {
        self.shared.options.common.list_limit
    }

    async fn write<V: Verb>(&self, verb: V) -> StorageResult<V::Answer> {
        self.writer.run(SharedVerb(verb)).await
    }

    async fn read<Q: Query>(&self, query: Q) -> StorageResult<Q::Answer> {
        self.read_from(&self.readers, query).await
    }

    async fn read_first<Q: Query>(&self, query: Q) -> StorageResult<Q::Answer> {
        self.read_from(&self.server_reader, query).await
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.writer.run(enqueue::Enqueue(jobs)).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.writer.run(claim).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        self.writer.run(finish::FinishBatch(batch)).await
    }

    /// What comes to the writer at the same time shares a commit.
    async fn finish_and_claim(&self, batch: Vec<Finish>, claim: Claim) -> Turn {
        let (recorded, claimed) = futures_util::join!(self.finish(batch), self.claim(claim));
        Turn { recorded, claimed }
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.writer.run(promote::Promote { limit }).await
    }

    fn name(&self) -> &'static str {
        <sqlx::Sqlite as sqlx::Database>::NAME
    }

    /// On the caller's thread: the connection is the caller's.
    async fn enqueue_in(&self, transaction: OngoingTransaction<'_>, jobs: Vec<NewJob>) -> StorageResult<()> {
        transactions::enqueue_in(&self.shared, transaction, jobs).await
    }

    async fn begin_transaction(&self) -> StorageResult<JobTransaction> {
        let (shared, handlers) = (Arc::clone(&self.shared), self.handlers.clone());
        self.writer.read(async move { transactions::begin(&shared, &handlers).await }).await
    }

    async fn finish_in(&self, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
        let shared = Arc::clone(&self.shared);
        self.writer.read(async move { transactions::finish_in(&shared, transaction, finish).await }).await
    }

    async fn close(&self) {
        // A handler that has kept its transaction is not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.handlers.close()).await;
        self.readers.close().await;
        self.server_reader.close().await;
        self.writer.close().await;
    }
}

impl Sqlite {
    /// Reads on the writer's thread; several statements in a transaction, because between them jobs move on.
    async fn read_from<Q: Query>(&self, readers: &SqlitePool, query: Q) -> StorageResult<Q::Answer> {
        let (shared, readers) = (Arc::clone(&self.shared), readers.clone());
        let read = async move {
            let closed = |error| match error {
                sqlx::Error::PoolClosed => StorageError::Closed { storage: shared.url() },
                error => shared.failed(error),
            };
            let mut connection = readers.acquire().await.map_err(closed)?;
            if !Q::SEVERAL {
                return query.run(&mut Reading { connection: &mut connection, shared: &shared }).await;
            }
            let mut tx = connection.begin().await.map_err(|error| shared.failed(error))?;
            let answer = query.run(&mut Reading { connection: &mut tx, shared: &shared }).await;
            tx.commit().await.map_err(|error| shared.failed(error))?;
            answer
        };
        self.writer.read(read).await
    }
}
