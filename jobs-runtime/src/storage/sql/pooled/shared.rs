use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64},
    },
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions as _, Connection as _, Pool, SqlStr, pool::PoolConnection};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    Connection, Driver, PoolOptions, Tx, Work,
    clock::measure,
    trust::{Trust, returned},
};
use crate::{
    clock::Clock,
    storage::{
        Signals, StorageError, StorageResult,
        signals::Effects,
        sql::{CommonOptions, Query, SHARDS, Templates},
    },
};

/// What all connections need.
#[derive(Debug)]
pub(crate) struct Shared<D: Driver> {
    pub(crate) driver: D,
    pub(crate) common: CommonOptions,
    pub(crate) sql: Templates,
    pub(crate) clock: Clock,
    /// What the clock is shifted by, if it is to follow the database's.
    pub(super) shift: Option<Arc<AtomicI64>>,
    pub(crate) signals: Signals,
    pub(crate) pool: Pool<D::Sqlx>,
    trust: Arc<Trust>,
    closed: CancellationToken,
    /// Whether the pool is this storage's own.
    owns_pool: bool,
    /// For the transactions in which handlers write, so that they can't keep the storage waiting.
    pub(super) handlers: Pool<D::Sqlx>,
    /// How often jobs were stored in transactions of others.
    pub(super) stored_in_others: AtomicU64,
    /// The storage's thread.
    pub(crate) thread: Handle,
    /// Which of an hour's rows in the statistics is this process's.
    shard: i64,
}

impl<D: Driver> Shared<D> {
    pub(super) async fn open(driver: D, common: CommonOptions, options: PoolOptions<D::Sqlx>) -> StorageResult<Self> {
        let failed = |error| explain(&driver, &common, error);
        let mut connection = options.connect().await.map_err(failed)?;
        driver.prepare_schema(&common, connection.get()).await?;
        let (clock, shift) = match &common.clock {
            Some(clock) => (clock.clone(), None),
            None => {
                let shift = Arc::new(AtomicI64::new(measure::<D>(connection.get()).await.map_err(failed)?));
                (Clock::shifted(Arc::clone(&shift)), Some(shift))
            }
        };
        connection.end().await;
        let trust = Arc::new(Trust::default());
        Ok(Self {
            sql: Templates::new(driver.prefix(), D::DIALECT),
            pool: options.pool(&common, &trust),
            handlers: options.for_handlers(&common, &trust),
            trust,
            closed: CancellationToken::new(),
            owns_pool: options.pool.is_none(),
            stored_in_others: AtomicU64::new(0),
            thread: Handle::current(),
            clock,
            shift,
            signals: Signals::default(),
            shard: fastrand::i64(0..SHARDS),
            driver,
            common,
        })
    }

    pub(crate) fn url(&self) -> String {
        self.common.storage.clone()
    }

    /// What to tell of an error of a statement of the storage's own.
    pub(crate) fn failed(&self, source: sqlx::Error) -> StorageError {
        if D::refuses(&source) {
            let (storage, reason) = (self.url(), source.to_string());
            return StorageError::Refused { storage, reason, source: Some(Box::new(source)) };
        }
        self.broken(source)
    }

    /// What to tell of an error that others may have brought about.
    pub(super) fn broken(&self, source: sqlx::Error) -> StorageError {
        if !D::is_conflict(&source) {
            self.trust.lose();
        }
        match source {
            sqlx::Error::PoolClosed => StorageError::Closed { storage: self.url() },
            source => StorageError::Failed { storage: self.url(), source: Box::new(source) },
        }
    }

    /// Runs a write; again if others got in the way of its transaction, until who asked waits no longer.
    pub(crate) async fn run<W: Work<D>>(&self, work: &W) -> StorageResult<W::Answer> {
        let last_try = Instant::now() + self.common.transaction_timeout;
        loop {
            match self.transact(work).await {
                Err(error) if is_conflict::<D>(&error) && Instant::now() < last_try => {
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
                }
                answer => return answer,
            }
        }
    }

    async fn transact<W: Work<D>>(&self, work: &W) -> StorageResult<W::Answer> {
        let mut connection = self.acquire().await?;
        let done = self.in_time(self.write(&mut connection, work)).await;
        let (answer, done) = self.give_back(connection, done)?;
        if done.came_back {
            self.driver.came_back();
        }
        done.effects.announce(&self.signals);
        self.driver.tell(done.effects);
        Ok(answer)
    }

    async fn write<W: Work<D>>(&self, connection: &mut Connection<D>, work: &W) -> StorageResult<(W::Answer, Done)> {
        if work.is_single() && !self.driver.is_always_in_transaction() {
            let mut tx = self.tx(connection);
            return Ok((work.run(&mut tx).await?, Done::of(&tx)));
        }
        let mut transaction = connection
            .begin_with(SqlStr::from_static(self.driver.begin()))
            .await
            .map_err(|error| self.failed(error))?;
        let mut tx = self.tx(&mut transaction);
        let answer = work.run(&mut tx).await?;
        D::before_commit(&mut tx).await?;
        let done = Done::of(&tx);
        transaction.commit().await.map_err(|error| self.failed(error))?;
        Ok((answer, done))
    }

    /// Answers a query; again if the connection had ended. It may have been idle when the database was started anew, and
    /// to read twice does no harm. The next one is looked at before it is used.
    pub(super) async fn answer<Q: Query>(&self, query: &Q) -> StorageResult<Q::Answer> {
        match self.try_to_answer(query).await {
            Err(error) if has_ended::<D>(&error) => self.try_to_answer(query).await,
            answer => answer,
        }
    }

    async fn try_to_answer<Q: Query>(&self, query: &Q) -> StorageResult<Q::Answer> {
        let mut connection = self.acquire().await?;
        let answer = self.in_time(self.read(&mut connection, query)).await;
        self.give_back(connection, answer)
    }

    async fn read<Q: Query>(&self, connection: &mut Connection<D>, query: &Q) -> StorageResult<Q::Answer> {
        if !Q::SEVERAL && !self.driver.is_always_in_transaction() {
            return D::query(query, &mut self.tx(connection)).await;
        }
        let mut snapshot = connection
            .begin_with(SqlStr::from_static(self.driver.begin_snapshot()))
            .await
            .map_err(|error| self.failed(error))?;
        let answer = D::query(query, &mut self.tx(&mut snapshot)).await?;
        snapshot.commit().await.map_err(|error| self.failed(error))?;
        Ok(answer)
    }

    pub(crate) fn tx<'c>(&'c self, connection: &'c mut Connection<D>) -> Tx<'c, D> {
        Tx {
            connection,
            shared: self,
            now: self.clock.now(),
            effects: Effects::default(),
            told: None,
            came_back: false,
            shard: self.shard,
            is_app: false,
        }
    }

    pub(crate) async fn acquire(&self) -> StorageResult<PoolConnection<D::Sqlx>> {
        self.check_open()?;
        match self.pool.acquire().await {
            Err(error) => Err(self.no_connection(error, &self.pool).await),
            Ok(connection) => Ok(connection),
        }
    }

    /// What to tell when a pool gave no connection. After a time-out the pool doesn't tell what it waited for; so it is tried
    /// once more without it.
    pub(super) async fn no_connection(&self, error: sqlx::Error, pool: &Pool<D::Sqlx>) -> StorageError {
        let error = match error {
            sqlx::Error::PoolClosed => return StorageError::Closed { storage: self.url() },
            sqlx::Error::PoolTimedOut => {
                let looking = tokio::time::timeout(self.common.transaction_timeout.mul_f64(0.15), async {
                    pool.connect_options().connect().await?.close().await
                });
                match looking.await {
                    // It doesn't answer.
                    Err(_) => return self.too_late(),
                    Ok(Err(error)) => error,
                    Ok(Ok(())) => sqlx::Error::PoolTimedOut,
                }
            }
            error => error,
        };
        self.trust.lose();
        let source = NoConnection { reason: reason(&self.driver, &error), source: error };
        StorageError::Failed { storage: self.url(), source: Box::new(source) }
    }

    /// Fails if the storage was closed: the application's pool still is open then.
    pub(super) fn check_open(&self) -> StorageResult<()> {
        if self.closed.is_cancelled() { Err(StorageError::Closed { storage: self.url() }) } else { Ok(()) }
    }

    /// `None` if it took too long.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = T> + Send) -> Option<T> {
        tokio::time::timeout(self.common.transaction_timeout, work).await.ok()
    }

    /// A connection that was left in the middle of something is dropped: nobody could go on with it.
    pub(crate) fn give_back<T>(
        &self,
        mut connection: PoolConnection<D::Sqlx>,
        done: Option<StorageResult<T>>,
    ) -> StorageResult<T> {
        if let Some(done) = done {
            tokio::spawn(returned(connection.return_to_pool()));
            return done;
        }
        drop(connection.detach());
        Err(self.too_late())
    }

    pub(crate) fn too_late(&self) -> StorageError {
        StorageError::timeout(self.url(), "transaction", self.common.transaction_timeout)
    }

    /// Runs what goes on beside all verbs, until the storage is closed or gone.
    pub(crate) fn beside(&self, thread: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        let closed = self.closed.clone();
        thread.spawn(async move { closed.run_until_cancelled(work).await });
    }

    pub(super) async fn close(&self) {
        self.closed.cancel();
        self.close_handlers().await;
        if self.owns_pool {
            self.pool.close().await;
        }
        D::tell_at_last(self).await;
    }
}

/// What a transaction brought about.
struct Done {
    effects: Effects,
    came_back: bool,
}

impl Done {
    fn of<D: Driver>(tx: &Tx<'_, D>) -> Self {
        Self { effects: tx.effects, came_back: tx.came_back }
    }
}

/// No connection could be had.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct NoConnection {
    reason: String,
    source: sqlx::Error,
}

/// Whether a value is the reason for an error, by its SQLSTATE: it is none of its type, or beyond what the database can hold.
pub(crate) fn is_of_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["22", "54"].contains(&&code[..code.len().min(2)]))
        }
        error => matches!(error, sqlx::Error::Encode(_)),
    }
}

fn is_conflict<D: Driver>(error: &StorageError) -> bool {
    of_driver(error).is_some_and(D::is_conflict)
}

/// Whether the connection had ended on which something was asked.
fn has_ended<D: Driver>(error: &StorageError) -> bool {
    of_driver(error).is_some_and(|error| matches!(error, sqlx::Error::Io(_)) || D::has_ended(error))
}

/// What the driver said.
fn of_driver(error: &StorageError) -> Option<&sqlx::Error> {
    let StorageError::Failed { source, .. } = error else { return None };
    source.downcast_ref()
}

/// What to tell about a database that can't be opened.
pub(crate) fn explain<D: Driver>(driver: &D, options: &CommonOptions, error: sqlx::Error) -> StorageError {
    let reason = reason(driver, &error);
    StorageError::Open { storage: options.storage.clone(), reason, source: Some(Box::new(error)) }
}

/// Why there is no connection, and what to check.
fn reason<D: Driver>(driver: &D, error: &sqlx::Error) -> String {
    match (driver.explain(error), error) {
        (Some(reason), _) => reason,
        (None, sqlx::Error::Io(error)) => {
            format!("the server can't be reached: {error}; check host and port in the URL, and that it runs")
        }
        (None, sqlx::Error::PoolTimedOut) => {
            "no connection became free in time: all are in use (`max_connections`)".to_owned()
        }
        (None, error) => error.to_string(),
    }
}
