//! Databases that are reached by a pool of connections: what PostgreSQL and MySQL share.
//!
//! Everything is asked on one thread. What is under way runs to its end; a connection that was left in the middle of
//! something, because it took too long, is dropped.

mod clock;
mod gather;
mod options;
mod shared;
mod transactions;
mod trust;
mod tx;

use std::{fmt, sync::Arc};

use sqlx::Transaction;
use tokio::runtime::Handle;

use self::gather::Gatherer;
#[cfg(feature = "mysql")]
pub(crate) use self::trust::LOOK;
pub(crate) use self::{
    options::{PoolOptions, pool_setters},
    shared::{Shared, explain, is_of_data},
    tx::{Connection, Tx},
};
use super::{CommonOptions, Database, Dialect, Query, SummedUp, Thread, TransactionDatabase, Verb, begin_savepoint};
use crate::{
    clock::Clock,
    storage::{
        Claim, ClaimedJob, Finish, Intervals, JobTransaction, NewJob, OngoingTransaction, Promotion, Recorded, Signals,
        StorageError, StorageResult, Turn, signals::Effects,
    },
};

/// What is a database's own.
pub(crate) trait Driver: fmt::Debug + Sized + Send + Sync + 'static {
    type Sqlx: TransactionDatabase;

    /// The name of the storage's thread.
    const THREAD: &'static str;
    const DIALECT: &'static Dialect;
    /// What stands before the names of tables.
    fn prefix(&self) -> String;

    /// How a transaction begins that writes, and one whose statements all see the same.
    fn begin(&self) -> &'static str;
    fn begin_snapshot(&self) -> &'static str;

    /// Whether even a single statement needs a transaction around it.
    fn is_always_in_transaction(&self) -> bool {
        false
    }

    /// Brings the tables up to date, or checks that they are.
    fn prepare_schema(
        &self,
        options: &CommonOptions,
        connection: &mut Connection<Self>,
    ) -> impl Future<Output = StorageResult<()>> + Send;

    /// What to tell of an error that keeps the database from being opened; `None` for what the driver says.
    fn explain(&self, error: &sqlx::Error) -> Option<String>;

    /// Whether the database ended a transaction because of others, so that it may be tried again.
    fn is_conflict(error: &sqlx::Error) -> bool;

    /// Whether the database refused what was to be stored, and would again.
    fn refuses(error: &sqlx::Error) -> bool {
        is_of_data(error)
    }

    /// Whether the database says that the connection has ended.
    fn has_ended(error: &sqlx::Error) -> bool;

    /// What the database's clock shows, in microseconds since 1970.
    fn time(connection: &mut Connection<Self>) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// Starts what goes on beside all verbs.
    fn start(thread: &Handle, shared: &Arc<Shared<Self>>);

    /// Called in each writing transaction before it is committed.
    fn before_commit(_tx: &mut Tx<'_, Self>) -> impl Future<Output = StorageResult<()>> + Send {
        async { Ok(()) }
    }

    /// How a transaction begins in which a handler writes; with the savepoint `jobs_run`, which is there until it ends.
    fn begin_job(&self) -> &'static str;

    /// How such a transaction is rolled back that is dropped, if more is to be done than that.
    fn roll_back_job(&self) -> Option<fn(Transaction<'static, Self::Sqlx>)> {
        None
    }

    /// Records an outcome in the transaction of its run.
    fn finish_one(tx: &mut Tx<'_, Self>, finish: Finish) -> impl Future<Output = StorageResult<Vec<Recorded>>> + Send;

    /// Fails if a transaction that began as [`begin_job`](Self::begin_job) says has ended, or can't be committed. What the
    /// handler has left in the connection is taken away, if others would find it.
    fn check_open(&self, connection: &mut Connection<Self>) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Begins a part of a transaction of the application's, which is as it was if that fails or nobody waits for it.
    fn begin_savepoint(connection: &mut Connection<Self>) -> impl Future<Output = sqlx::Result<()>> + Send {
        begin_savepoint::<Self::Sqlx>(connection)
    }

    /// Sees to it that who waits for what was stored in a transaction of the application's is woken when that is committed.
    fn announce_in(tx: &mut Tx<'_, Self>) -> impl Future<Output = StorageResult<()>> + Send;

    /// Tells other processes of what was committed.
    fn tell(&self, _effects: Effects) {}

    /// Tells them what they were not told yet, when the storage is closed.
    fn tell_at_last(_shared: &Shared<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Jobs came back into their queues, perhaps to earlier places.
    fn came_back(&self) {}

    /// How often servers claim when nothing wakes them.
    fn queue_poll_interval(&self, set: Intervals) -> std::time::Duration {
        set.queue_poll
    }

    fn verb<V: Verb>(verb: &V, tx: &mut Tx<'_, Self>) -> impl Future<Output = StorageResult<V::Answer>> + Send;
    fn query<Q: Query>(query: &Q, tx: &mut Tx<'_, Self>) -> impl Future<Output = StorageResult<Q::Answer>> + Send;
    fn enqueue(jobs: Vec<NewJob>) -> impl Work<Self, Answer = ()>;
    fn claim(claim: Claim) -> impl Work<Self, Answer = Vec<ClaimedJob>>;
    fn finish(shared: &Shared<Self>, batch: Vec<Finish>) -> impl Future<Output = StorageResult<Vec<Recorded>>> + Send;
    fn finish_and_claim(shared: &Shared<Self>, batch: Vec<Finish>, claim: Claim) -> impl Future<Output = Turn> + Send;
    fn promote(limit: usize) -> impl Work<Self, Answer = Promotion>;
}

/// A write, as a connection runs it; it may be run again when its transaction has failed.
pub(crate) trait Work<D: Driver>: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Whether it is one statement, which needs no transaction around it.
    fn is_single(&self) -> bool {
        false
    }

    fn run(&self, tx: &mut Tx<'_, D>) -> impl Future<Output = StorageResult<Self::Answer>> + Send;
}

/// A verb that all SQL storages share.
struct SharedVerb<V>(V);

impl<D: Driver, V: Verb> Work<D> for SharedVerb<V> {
    type Answer = V::Answer;

    async fn run(&self, tx: &mut Tx<'_, D>) -> StorageResult<V::Answer> {
        D::verb(&self.0, tx).await
    }
}

/// A database that is reached by a pool of connections.
#[derive(Debug)]
pub(crate) struct Pooled<D: Driver> {
    shared: Arc<Shared<D>>,
    gatherer: Gatherer,
    thread: Thread,
    summed_up: SummedUp,
}

impl<D: Driver> Pooled<D> {
    pub(crate) async fn open(driver: D, common: CommonOptions, pool: PoolOptions<D::Sqlx>) -> StorageResult<Self> {
        common.check()?;
        pool.check(&common)?;
        let thread = Thread::start(D::THREAD).map_err(|source| StorageError::Open {
            storage: common.storage.clone(),
            reason: "its thread can't be started".to_owned(),
            source: Some(Box::new(source)),
        })?;
        let storage = common.storage.clone();
        let opening = async move { Shared::open(driver, common, pool).await.map(Arc::new) };
        let shared = thread.run(|| storage.clone(), opening).await?;
        D::start(thread.handle(), &shared);
        clock::follow(thread.handle(), &shared);
        let gatherer = Gatherer::start(thread.handle(), &shared);
        Ok(Self { shared, gatherer, thread, summed_up: SummedUp::default() })
    }

    /// Runs something on the thread.
    async fn run<W: Work<D>>(&self, work: W) -> StorageResult<W::Answer> {
        let shared = Arc::clone(&self.shared);
        self.thread.run(|| self.shared.url(), async move { shared.run(&work).await }).await
    }
}

impl<D: Driver> Database for Pooled<D> {
    fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    fn signals(&self) -> &Signals {
        &self.shared.signals
    }

    fn describe(&self) -> String {
        self.shared.url()
    }

    fn intervals(&self) -> Intervals {
        let set = self.shared.common.intervals;
        Intervals { queue_poll: self.shared.driver.queue_poll_interval(set), ..set }
    }

    fn list_limit(&self) -> u64 {
        self.shared.common.list_limit
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
        if !Gatherer::takes(&jobs) {
            return self.run(D::enqueue(jobs)).await;
        }
        self.gatherer.store(jobs, || StorageError::Closed { storage: self.shared.url() }).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.run(D::claim(claim)).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        let shared = Arc::clone(&self.shared);
        self.thread.run(|| self.shared.url(), async move { D::finish(&shared, batch).await }).await
    }

    async fn finish_and_claim(&self, batch: Vec<Finish>, claim: Claim) -> Turn {
        let shared = Arc::clone(&self.shared);
        let turn = async move { Ok(D::finish_and_claim(&shared, batch, claim).await) };
        let turn = self.thread.run(|| self.shared.url(), turn).await;
        turn.unwrap_or_else(|error| Turn::failed(error, &self.shared.url()))
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.run(D::promote(limit)).await
    }

    fn name(&self) -> &'static str {
        <D::Sqlx as sqlx::Database>::NAME
    }

    /// On the caller's thread: the connection is the caller's.
    async fn enqueue_in(&self, transaction: OngoingTransaction<'_>, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.shared.enqueue_in(transaction, jobs).await
    }

    async fn begin_transaction(&self) -> StorageResult<JobTransaction> {
        let shared = Arc::clone(&self.shared);
        self.thread.run(|| self.shared.url(), async move { shared.begin_job().await }).await
    }

    async fn finish_in(&self, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
        let shared = Arc::clone(&self.shared);
        self.thread.run(|| self.shared.url(), async move { shared.finish_in(transaction, finish).await }).await
    }

    async fn aggregate(&self, limit: usize) -> StorageResult<usize> {
        let at = self.shared.clock.now();
        let taken = self.write(self.summed_up.next(limit)).await?;
        self.summed_up.done(limit, taken, at);
        Ok(taken)
    }

    async fn close(&self) {
        let shared = Arc::clone(&self.shared);
        // An error means that the thread has gone, and the connections with it.
        let _ = self.thread.handle().spawn(async move { shared.close().await }).await;
    }
}
