use std::{fmt, sync::Arc};

use sqlx::{ConnectOptions as _, Connection, Database, Pool, pool::PoolConnection};

use super::trust::{Trust, answered};
use crate::storage::{StorageResult, sql::CommonOptions};

/// How the database is reached.
pub(crate) struct PoolOptions<DB: Database> {
    pub(crate) connect: <DB::Connection as Connection>::Options,
    /// The same without what only the storage's own statements need.
    pub(crate) plain: <DB::Connection as Connection>::Options,
    /// The application's own, used instead of one that is made.
    pub(crate) pool: Option<Pool<DB>>,
    pub(crate) max_connections: u32,
}

impl<DB: Database> Clone for PoolOptions<DB> {
    fn clone(&self) -> Self {
        let (connect, plain) = (self.connect.clone(), self.plain.clone());
        Self { connect, plain, pool: self.pool.clone(), max_connections: self.max_connections }
    }
}

impl<DB: Database> fmt::Debug for PoolOptions<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is left out has the password.
        f.debug_struct("PoolOptions").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

impl<DB: Database> PoolOptions<DB> {
    pub(crate) fn new(connect: <DB::Connection as Connection>::Options) -> Self {
        Self { plain: connect.clone(), connect, pool: None, max_connections: 10 }
    }

    /// The same with other connections.
    pub(crate) fn to(self, connect: <DB::Connection as Connection>::Options) -> Self {
        Self { pool: self.pool, max_connections: self.max_connections, ..Self::new(connect) }
    }

    pub(crate) fn of(pool: Pool<DB>) -> Self {
        let connect = (*pool.connect_options()).clone();
        Self {
            plain: connect.clone(),
            connect,
            max_connections: pool.options().get_max_connections(),
            pool: Some(pool),
        }
    }

    pub(crate) fn check(&self, common: &CommonOptions) -> StorageResult<()> {
        if (2..=1_000).contains(&self.max_connections) {
            return Ok(());
        }
        Err(common.open_error(format!("`max_connections={}` must be from 2 to 1000", self.max_connections)))
    }

    /// The first connection. A pool of our own would try for long to reach a server that isn't there.
    pub(crate) async fn connect(&self) -> sqlx::Result<PoolOrOwn<DB>> {
        match &self.pool {
            Some(pool) => pool.acquire().await.map(PoolOrOwn::Pool),
            None => self.connect.connect().await.map(PoolOrOwn::Own),
        }
    }

    /// The application's pool, or a new one.
    pub(super) fn pool(&self, common: &CommonOptions, trust: &Arc<Trust>) -> Pool<DB> {
        self.pool.clone().unwrap_or_else(|| self.new_pool(common, trust).connect_lazy_with(self.connect.clone()))
    }

    /// A pool for transactions in which handlers write: the settings of its connections are the application's. It is never
    /// the one of the storage, nor the application's: there handlers would keep the storage waiting, heartbeats too.
    pub(super) fn for_handlers(&self, common: &CommonOptions, trust: &Arc<Trust>) -> Pool<DB> {
        let options = match &self.pool {
            // With all that the application says of its own, what is done to a new connection included.
            Some(pool) => pool.options().clone().min_connections(0),
            None => self.new_pool(common, trust),
        };
        // Transactions that are dropped come back by themselves, and the pool would wait for their rollback for ever.
        let options = options.after_release(|connection, _| Box::pin(answered(connection.ping())));
        options.connect_lazy_with(self.plain.clone())
    }

    fn new_pool(&self, common: &CommonOptions, trust: &Arc<Trust>) -> sqlx::pool::PoolOptions<DB> {
        let trust = Arc::clone(trust);
        sqlx::pool::PoolOptions::new()
            .max_connections(self.max_connections)
            // The rest of the time is for finding out why there is none.
            .acquire_timeout(common.transaction_timeout.mul_f64(0.8))
            .test_before_acquire(false)
            .before_acquire(move |connection: &mut DB::Connection, meta| {
                let trusted = trust.covers(meta.idle_for);
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // Whoever had it has lost count.
                        return Ok(false);
                    }
                    if trusted { Ok(true) } else { answered(connection.ping()).await }
                })
            })
    }
}

/// A connection of a pool, or one that is in none.
pub(crate) enum PoolOrOwn<DB: Database> {
    Pool(PoolConnection<DB>),
    Own(DB::Connection),
}

impl<DB: Database> PoolOrOwn<DB> {
    pub(crate) fn get(&mut self) -> &mut DB::Connection {
        match self {
            Self::Pool(connection) => connection,
            Self::Own(connection) => connection,
        }
    }

    /// An error is only that the connection ends in another way.
    pub(crate) async fn end(self) {
        if let Self::Own(connection) = self {
            let _ = connection.close().await;
        }
    }
}

/// The setters of what pooled databases have beside [`common_setters!`](crate::storage::sql::common_setters), for a
/// struct that has its [`PoolOptions`] as `pool`.
macro_rules! pool_setters {
    () => {
        /// How many connections are open at most; 10 by default, from 2 to 1000. Handlers that take a
        /// [`JobTx`](crate::storage::JobTx) have as many of their own.
        ///
        /// Of no effect on a pool of the application's: the storage uses what that has, and handlers as many again.
        #[must_use]
        pub fn max_connections(mut self, connections: u32) -> Self {
            self.pool.max_connections = connections;
            self
        }

        /// How often servers sum up the counters of hours that are over; every 5 minutes by default, and never zero.
        #[must_use]
        pub fn counters_aggregation_interval(mut self, interval: std::time::Duration) -> Self {
            self.common.intervals.counters_aggregation = interval;
            self
        }

        /// Another clock; by default the database's, so that all processes have the same.
        #[must_use]
        pub fn clock(mut self, clock: $crate::clock::Clock) -> Self {
            self.common.clock = Some(clock);
            self
        }
    };
}
pub(crate) use pool_setters;
