use std::{str::FromStr as _, sync::Arc, time::Duration};

use sqlx::postgres::PgConnectOptions;

use super::Postgres;
use crate::{
    clock::Clock,
    storage::{Guarded, Retention, Storage, StorageError, StorageResult, connect::invalid, sql::SqlStorage},
};

/// Settings of a PostgreSQL storage.
///
/// ```no_run
/// # async fn open() -> Result<(), jobs_runtime::storage::StorageError> {
/// use jobs_runtime::storage::postgres::PostgresOptions;
///
/// let options = PostgresOptions::from_url("postgres://app:secret@db.example.org/shop")?;
/// let storage = options.schema("shop_jobs").max_connections(8).open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    pub(super) connect: PgConnectOptions,
    /// Without secrets.
    pub(super) url: String,
    pub(super) schema: String,
    pub(super) migrate: bool,
    pub(super) retention: Retention,
    pub(super) max_connections: u32,
    pub(super) listen: bool,
    pub(super) clock: Option<Clock>,
    pub(super) operation_timeout: Duration,
}

impl PostgresOptions {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that PostgreSQL's own clients know, such
    /// as `sslmode`, and these:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `schema` | letters, digits and `_` | `jobs` |
    /// | `migrate` | `true` or `false` | `true` |
    /// | `max_connections` | 2 to 1000 | 10 |
    /// | `listen` | `true` or `false` | `true` |
    ///
    /// # Errors
    ///
    /// [`StorageError::InvalidUrl`] if it is no such URL.
    pub fn from_url(url: &str) -> StorageResult<Self> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid(url, "write `postgres://USER:PASSWORD@HOST/DATABASE`"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (own, others): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .partition(|pair| OWN.iter().any(|own| pair.split('=').next() == Some(own)));
        let rest = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        let connect = PgConnectOptions::from_str(&rest).map_err(|error| invalid(url, error.to_string()))?;
        let is_named = connect.get_application_name().is_some();
        let options = Self {
            connect: if is_named { connect } else { connect.application_name("jobs") },
            url: super::super::connect::without_password(base),
            schema: "jobs".to_owned(),
            migrate: true,
            retention: Retention::DEFAULT,
            max_connections: 10,
            listen: true,
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
            "schema" => Ok(self.schema(value)),
            "migrate" => Ok(self.migrate(flag()?)),
            "listen" => Ok(self.listen(flag()?)),
            _ => match value.parse() {
                Ok(connections) => Ok(self.max_connections(connections)),
                Err(_) => Err(format!("`{key}={value}` must be a number")),
            },
        }
    }

    /// The schema in which the tables are: letters, digits and `_`; `jobs` by default. Programs with different schemas
    /// share a database without seeing each other's jobs.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Whether to create and upgrade schema and tables when the storage is opened; `true` by default.
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

    /// How many connections are open at most, beside one that listens; 10 by default, at least 2.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// Whether to wake other processes by `NOTIFY`, and to be woken by `LISTEN`; `true` by default. A connection pooler in
    /// transaction mode lets nobody listen; then servers find what others stored when they poll.
    #[must_use]
    pub fn listen(mut self, listen: bool) -> Self {
        self.listen = listen;
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
        let storage = SqlStorage(Postgres::open(self).await?);
        Ok(Arc::new(Guarded::new(Arc::new(storage), limit)))
    }

    pub(super) fn check(&self) -> StorageResult<()> {
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts = self.schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !starts || !self.schema.chars().all(valid) || self.schema.len() > 50 {
            return Err(self.open_error(format!(
                "`{}` can't be the name of the schema: use 1 to 50 of `a-z`, `0-9` and `_`, and begin with a letter",
                self.schema
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
        format!("{}?schema={}", self.url, self.schema)
    }
}

/// The parameters that are not PostgreSQL's.
const OWN: [&str; 4] = ["schema", "migrate", "max_connections", "listen"];
