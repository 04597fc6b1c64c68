use std::{str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{MySqlPool, mysql::MySqlConnectOptions};

use super::{MySql, schema};
use crate::storage::{
    Guarded, Migration, Storage, StorageResult,
    connect::without_password,
    sql::{
        CommonOptions, SqlStorage, Url, common_setters, number,
        pooled::{PoolOptions, Pooled, pool_setters},
    },
};

/// Settings of a MySQL or MariaDB storage.
///
/// ```no_run
/// # async fn open() -> Result<(), jobs_runtime::storage::StorageError> {
/// use jobs_runtime::storage::mysql::MySqlOptions;
///
/// let options = MySqlOptions::from_url("mysql://app:secret@db.example.org/shop")?;
/// let storage = options.table_prefix("shop_jobs_").max_connections(8).open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlOptions {
    common: CommonOptions,
    pool: PoolOptions<sqlx::MySql>,
    table_prefix: String,
}

impl MySqlOptions {
    /// Reads `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that the driver knows, such as `ssl-mode`,
    /// and these, each of which is explained at the method of its name:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `table_prefix` | letters, digits and `_` | `jobs_` |
    /// | `prepare_schema` | `true` or `false` | `true` |
    /// | `max_connections` | 2 to 1000 | 10 |
    /// | `queue_poll_interval` | a time such as `200ms` or `15s` | `200ms` |
    /// | `expiration_check_interval` | a time | `60s` |
    /// | `counters_aggregation_interval` | a time | `5m` |
    /// | `transaction_timeout` | a time | `30s` |
    /// | `list_limit` | 1 to 1000000 | 10000 |
    ///
    /// # Errors
    ///
    /// [`StorageError::InvalidUrl`](crate::storage::StorageError::InvalidUrl) if it is no such URL.
    pub fn from_url(url: &str) -> StorageResult<Self> {
        let parts = Url::parse(url);
        if !url.starts_with("mysql://") && !url.starts_with("mariadb://") {
            return Err(parts.invalid("write `mysql://USER:PASSWORD@HOST/DATABASE`"));
        }
        let mut options = Self::new(without_password(parts.base), PoolOptions::new(MySqlConnectOptions::new()));
        let rest = parts.apply(|key, value| options.set(key, value))?;
        let connect = MySqlConnectOptions::from_str(&rest).map_err(|error| parts.invalid(error.to_string()))?;
        options.pool = options.pool.to(connect);
        Ok(options)
    }

    /// Uses connections of the application's own pool, to a database that it names. They must be let in for as long as the
    /// storage is used: the storage doesn't close the pool, and no longer works when someone else does.
    ///
    /// Handlers that take a [`JobTx`](crate::storage::JobTx) have connections beside the pool, as many as it may have, made
    /// with its settings.
    #[must_use]
    pub fn from_pool(pool: MySqlPool) -> Self {
        let connect = pool.connect_options();
        let (host, port) = (connect.get_host(), connect.get_port());
        let storage = format!("mysql://{host}:{port}/{}", connect.get_database().unwrap_or_default());
        Self::new(storage, PoolOptions::of(pool))
    }

    fn new(storage: String, pool: PoolOptions<sqlx::MySql>) -> Self {
        let mut common = CommonOptions::new(storage);
        common.intervals.queue_poll = Duration::from_millis(200);
        Self { common, pool, table_prefix: "jobs_".to_owned() }
    }

    fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let done = match key {
            "table_prefix" => {
                self.table_prefix = value.to_owned();
                Ok(())
            }
            "max_connections" => number(key, value).map(|connections| self.pool.max_connections = connections),
            _ => return self.common.set(key, value),
        };
        Some(done)
    }

    common_setters!();
    pool_setters!();

    /// What the names of all tables begin with: letters, digits and `_`; `jobs_` by default. Programs with different
    /// prefixes share a database without seeing each other's jobs.
    #[must_use]
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.table_prefix = prefix.into();
        self
    }

    /// How often to look whether another process stored something; every 200 ms by default, and never zero. What this
    /// process stores is seen at once.
    #[must_use]
    pub fn queue_poll_interval(mut self, interval: Duration) -> Self {
        self.common.intervals.queue_poll = interval;
        self
    }

    /// Connects, makes the tables if they aren't there, and brings them up to date.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::storage::connect()).
    pub async fn open(self) -> StorageResult<Arc<dyn Storage>> {
        let limit = self.common.transaction_timeout;
        let storage = SqlStorage(self.pooled().await?);
        Ok(Arc::new(Guarded::new(Arc::new(storage), limit)))
    }

    /// Makes the tables if they aren't there, and brings them up to date, whatever
    /// [`prepare_schema`](Self::prepare_schema) says: for a step of a deployment, by a user who may change tables.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::storage::connect()).
    pub async fn migrate(self) -> StorageResult<()> {
        let storage = self.prepare_schema(true).open().await?;
        storage.close().await;
        Ok(())
    }

    /// All migrations with their statements, for those who run them by hand.
    #[must_use]
    pub fn migrations(&self) -> Vec<Migration> {
        schema::migrations(&self.table_prefix)
    }

    pub(super) async fn pooled(self) -> StorageResult<Pooled<MySql>> {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !self.table_prefix.chars().all(valid) || self.table_prefix.len() > 40 {
            return Err(self.common.open_error(format!(
                "`{}` can't be the prefix of tables: use up to 40 letters, digits and `_`",
                self.table_prefix
            )));
        }
        let driver = MySql::new(self.table_prefix);
        Pooled::open(driver, self.common, self.pool).await
    }
}
