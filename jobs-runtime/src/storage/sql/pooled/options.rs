use std::{fmt, time::Duration};

use sqlx::{ConnectOptions as _, Connection, Database, Pool, pool::PoolConnection};

use crate::storage::{StorageResult, sql::CommonOptions};

/// How long a connection may have been idle to be used without a look whether it still is one.
const TRUSTED: Duration = Duration::from_secs(1);

/// How the database is reached.
pub(crate) struct PoolOptions<DB: Database> {
    pub(crate) connect: <DB::Connection as Connection>::Options,
    /// The application's own, used instead of one that is made.
    pub(crate) pool: Option<Pool<DB>>,
    pub(crate) max_connections: u32,
}

impl<DB: Database> Clone for PoolOptions<DB> {
    fn clone(&self) -> Self {
        Self { connect: self.connect.clone(), pool: self.pool.clone(), max_connections: self.max_connections }
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
        Self { connect, pool: None, max_connections: 10 }
    }

    pub(crate) fn of(pool: Pool<DB>) -> Self {
        let connect = (*pool.connect_options()).clone();
        Self { connect, max_connections: pool.options().get_max_connections(), pool: Some(pool) }
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
    pub(crate) fn pool(&self, common: &CommonOptions) -> Pool<DB> {
        if let Some(pool) = &self.pool {
            return pool.clone();
        }
        sqlx::pool::PoolOptions::new()
            .max_connections(self.max_connections)
            .acquire_timeout(common.transaction_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection: &mut DB::Connection, meta| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // Whoever had it has lost count.
                        return Ok(false);
                    }
                    if meta.idle_for < TRUSTED {
                        return Ok(true);
                    }
                    connection.ping().await.map(|()| true)
                })
            })
            .connect_lazy_with(self.connect.clone())
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
        /// Of no effect on a pool of the application's.
        #[must_use]
        pub fn max_connections(mut self, connections: u32) -> Self {
            self.pool.max_connections = connections;
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
