use std::{str::FromStr as _, sync::Arc, time::Duration};

use sqlx::mysql::MySqlConnectOptions;

use super::MySql;
use crate::{
    clock::Clock,
    storage::{Guarded, Retention, Storage, StorageError, StorageResult, connect::invalid, sql::SqlStorage},
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
    pub(super) connect: MySqlConnectOptions,
    /// Without secrets.
    pub(super) url: String,
    pub(super) table_prefix: String,
    pub(super) migrate: bool,
    pub(super) retention: Retention,
    pub(super) max_connections: u32,
    pub(super) poll_interval: Duration,
    pub(super) clock: Option<Clock>,
    pub(super) operation_timeout: Duration,
}

impl MySqlOptions {
    /// Reads `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that the driver knows, such as `ssl-mode`,
    /// and these:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `table_prefix` | letters, digits and `_` | `jobs_` |
    /// | `migrate` | `true` or `false` | `true` |
    /// | `max_connections` | 2 to 1000 | 10 |
    /// | `poll_interval_ms` | 1 to 60000 | 200 |
    ///
    /// # Errors
    ///
    /// [`StorageError::InvalidUrl`] if it is no such URL.
    pub fn from_url(url: &str) -> StorageResult<Self> {
        if !url.starts_with("mysql://") && !url.starts_with("mariadb://") {
            return Err(invalid(url, "write `mysql://USER:PASSWORD@HOST/DATABASE`"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (own, others): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .partition(|pair| OWN.iter().any(|own| pair.split('=').next() == Some(own)));
        let rest = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        let connect = MySqlConnectOptions::from_str(&rest).map_err(|error| invalid(url, error.to_string()))?;
        let options = Self {
            connect,
            url: super::super::connect::without_password(base),
            table_prefix: "jobs_".to_owned(),
            migrate: true,
            retention: Retention::DEFAULT,
            max_connections: 10,
            poll_interval: Duration::from_millis(200),
            clock: None,
            operation_timeout: Guarded::DEFAULT_LIMIT,
        };
        own.into_iter()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .try_fold(options, |options, (key, value)| options.set(key, value).map_err(|reason| invalid(url, reason)))
    }

    fn set(self, key: &str, value: &str) -> Result<Self, String> {
        let flag = || value.parse::<bool>().map_err(|_| format!("`{key}={value}` must be `true` or `false`"));
        match key {
            "table_prefix" => Ok(self.table_prefix(value)),
            "migrate" => Ok(self.migrate(flag()?)),
            "poll_interval_ms" => match value.parse() {
                Ok(millis) => Ok(self.poll_interval(Duration::from_millis(millis))),
                Err(_) => Err(format!("`{key}={value}` must be a number")),
            },
            _ => match value.parse() {
                Ok(connections) => Ok(self.max_connections(connections)),
                Err(_) => Err(format!("`{key}={value}` must be a number")),
            },
        }
    }

    /// What the names of all tables begin with: letters, digits and `_`; `jobs_` by default. Programs with different
    /// prefixes share a database without seeing each other's jobs.
    #[must_use]
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.table_prefix = prefix.into();
        self
    }

    /// Whether to create and upgrade the tables when the storage is opened; `true` by default.
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// How long finished jobs are kept.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// How many connections are open at most; 10 by default, at least 2.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// How often to look whether another process wrote something; every 200 ms by default, and never zero. Writes of this
    /// process are seen at once.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// Another clock; by default the database's, so that all processes have the same.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How long a verb may take; 30 s by default.
    #[must_use]
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.operation_timeout = limit;
        self
    }

    /// Connects, makes the tables if they aren't there, and brings them up to date.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::storage::connect()).
    pub async fn open(self) -> StorageResult<Arc<dyn Storage>> {
        let limit = self.operation_timeout;
        let storage = SqlStorage(MySql::open(self).await?);
        Ok(Arc::new(Guarded::new(Arc::new(storage), limit)))
    }

    pub(super) fn check(&self) -> StorageResult<()> {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !self.table_prefix.chars().all(valid) || self.table_prefix.len() > 40 {
            return Err(self.open_error(format!(
                "`{}` can't be the prefix of tables: use up to 40 letters, digits and `_`",
                self.table_prefix
            )));
        }
        if !(2..=1_000).contains(&self.max_connections) {
            return Err(self.open_error(format!("`max_connections={}` must be from 2 to 1000", self.max_connections)));
        }
        Ok(())
    }

    pub(super) fn open_error(&self, reason: impl Into<String>) -> StorageError {
        StorageError::Open { storage: self.url(), reason: reason.into(), source: None }
    }

    pub(super) fn url(&self) -> String {
        format!("{}?table_prefix={}", self.url, self.table_prefix)
    }
}

/// The parameters that are not the driver's.
const OWN: [&str; 4] = ["table_prefix", "migrate", "max_connections", "poll_interval_ms"];
