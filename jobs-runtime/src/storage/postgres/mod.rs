//! Jobs in PostgreSQL 13 or later, for many machines.
//!
//! Everything is asked on one thread and a small pool of connections. What one process stores wakes the others by
//! `NOTIFY`, sent after the commit and for many commits together; polling stands behind it.

mod claim;
mod connection;
mod enqueue;
mod finish;
mod notify;
mod options;
mod promote;
mod schema;
mod session;

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection, PgPool, pool::PoolConnection};

pub use self::options::PostgresOptions;
use self::{notify::Notifier, session::Tx};
use super::{
    Claim, ClaimedJob, Finish, NewJob, Promotion, Recorded, Signals, StorageError, StorageResult,
    signals::Effects,
    sql::{Database, Query, Templates, Thread, Trust, Verb, returned},
};
use crate::clock::Clock;

/// The database behind `postgres://`.
#[derive(Debug)]
pub(crate) struct Postgres {
    shared: Arc<Shared>,
    thread: Thread,
}

/// What all connections need.
#[derive(Debug)]
struct Shared {
    options: PostgresOptions,
    sql: Templates,
    clock: Clock,
    /// What the clock is shifted by, if it is to follow the database's.
    shift: Option<Arc<AtomicI64>>,
    signals: Signals,
    pool: PgPool,
    trust: Arc<Trust>,
    notifier: Notifier,
    /// Which of an hour's rows in the statistics is this process's.
    shard: i64,
}

impl Postgres {
    pub(super) async fn open(options: PostgresOptions) -> StorageResult<Self> {
        options.check()?;
        let thread = Thread::start("jobs-postgres").map_err(|source| StorageError::Open {
            storage: options.url(),
            reason: "its thread can't be started".to_owned(),
            source: Some(Box::new(source)),
        })?;
        let url = options.url();
        let shared = thread.run(|| url.clone(), async move { Shared::open(options).await.map(Arc::new) }).await?;
        notify::start(thread.handle(), &shared);
        connection::follow_clock(thread.handle(), &shared);
        Ok(Self { shared, thread })
    }

    /// Runs something on the thread; again if it was the victim of a deadlock.
    async fn run<W: Work>(&self, work: W) -> StorageResult<W::Answer> {
        let shared = Arc::clone(&self.shared);
        let work = async move {
            // Who asked waits for no longer.
            let last_try = Instant::now() + shared.options.operation_timeout;
            loop {
                match shared.transact(&work).await {
                    Err(error) if is_conflict(&error) && Instant::now() < last_try => pause().await,
                    answer => return answer,
                }
            }
        };
        self.thread.run(|| self.shared.url(), work).await
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
}

/// Whether PostgreSQL ended a transaction because of others: a deadlock, or a failure to serialize.
fn is_conflict(error: &StorageError) -> bool {
    let StorageError::Failed { source, .. } = error else { return false };
    let code = source.downcast_ref::<sqlx::Error>().and_then(|error| error.as_database_error()?.code());
    code.is_some_and(|code| code == "40001" || code == "40P01")
}

/// A write, as a connection runs it.
trait Work: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Whether it is one statement, which needs no transaction around it.
    fn is_single(&self) -> bool {
        false
    }

    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = StorageResult<Self::Answer>> + Send;
}

/// A verb that all SQL storages share.
struct SharedVerb<V>(V);

impl<V: Verb> Work for SharedVerb<V> {
    type Answer = V::Answer;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<V::Answer> {
        self.0.run(tx).await
    }
}

impl Shared {
    fn url(&self) -> String {
        self.options.url()
    }

    fn failed(&self, source: sqlx::Error) -> StorageError {
        self.trust.lose();
        match source {
            sqlx::Error::PoolClosed => StorageError::Closed { storage: self.url() },
            sqlx::Error::PoolTimedOut => self.too_late(),
            source => StorageError::Failed { storage: self.url(), source: Box::new(source) },
        }
    }

    async fn transact<W: Work>(&self, work: &W) -> StorageResult<W::Answer> {
        let mut connection = self.acquire().await?;
        let done = self.in_time(self.write(&mut connection, work)).await;
        let (answer, effects) = self.give_back(connection, done)?;
        effects.announce(&self.signals);
        self.notifier.notify(effects);
        Ok(answer)
    }

    async fn write<W: Work>(&self, connection: &mut PgConnection, work: &W) -> StorageResult<(W::Answer, Effects)> {
        if work.is_single() {
            let mut tx = self.tx(connection);
            return Ok((work.run(&mut tx).await?, tx.effects));
        }
        let mut transaction = connection.begin().await.map_err(|error| self.failed(error))?;
        let mut tx = self.tx(&mut transaction);
        let answer = work.run(&mut tx).await?;
        let effects = tx.effects;
        transaction.commit().await.map_err(|error| self.failed(error))?;
        Ok((answer, effects))
    }

    async fn answer<Q: Query>(&self, query: &Q) -> StorageResult<Q::Answer> {
        let mut connection = self.acquire().await?;
        let answer = self.in_time(self.read(&mut connection, query)).await;
        self.give_back(connection, answer)
    }

    async fn read<Q: Query>(&self, connection: &mut PgConnection, query: &Q) -> StorageResult<Q::Answer> {
        if !Q::SEVERAL {
            return query.run(&mut self.tx(connection)).await;
        }
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut snapshot = connection.begin_with(begin).await.map_err(|error| self.failed(error))?;
        let answer = query.run(&mut self.tx(&mut snapshot)).await?;
        snapshot.commit().await.map_err(|error| self.failed(error))?;
        Ok(answer)
    }

    fn tx<'c>(&'c self, connection: &'c mut PgConnection) -> Tx<'c> {
        Tx { connection, shared: self, now: self.clock.now(), effects: Effects::default() }
    }

    async fn acquire(&self) -> StorageResult<PoolConnection<sqlx::Postgres>> {
        self.pool.acquire().await.map_err(|error| self.failed(error))
    }

    /// `None` if it took too long.
    async fn in_time<T>(&self, work: impl Future<Output = T> + Send) -> Option<T> {
        tokio::time::timeout(self.options.operation_timeout, work).await.ok()
    }

    /// A connection that was left in the middle of something is dropped: nobody could go on with it.
    fn give_back<T>(
        &self,
        mut connection: PoolConnection<sqlx::Postgres>,
        done: Option<StorageResult<T>>,
    ) -> StorageResult<T> {
        if let Some(done) = done {
            tokio::spawn(returned(connection.return_to_pool()));
            return done;
        }
        drop(connection.detach());
        Err(self.too_late())
    }

    fn too_late(&self) -> StorageError {
        let (storage, limit) = (self.url(), self.options.operation_timeout);
        StorageError::Timeout { storage, operation: "transaction", limit }
    }
}

impl Database for Postgres {
    fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    fn signals(&self) -> &Signals {
        &self.shared.signals
    }

    fn describe(&self) -> String {
        self.shared.url()
    }

    async fn write<V: Verb>(&self, verb: V) -> StorageResult<V::Answer> {
        self.run(SharedVerb(verb)).await
    }

    async fn read<Q: Query>(&self, query: Q) -> StorageResult<Q::Answer> {
        let shared = Arc::clone(&self.shared);
        self.thread.run(|| self.shared.url(), async move { shared.answer(&query).await }).await
    }

    async fn read_first<Q: Query>(&self, query: Q) -> StorageResult<Q::Answer> {
        self.read(query).await
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.run(enqueue::Enqueue(jobs)).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.run(claim).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        self.run(finish::FinishBatch(batch)).await
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.run(promote::Promote { limit }).await
    }

    async fn close(&self) {
        let shared = Arc::clone(&self.shared);
        // An error means that the thread has gone, and the connections with it.
        let _ = self.thread.handle().spawn(async move { shared.pool.close().await }).await;
    }
}
