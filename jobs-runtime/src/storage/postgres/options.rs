use std::{fmt, str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgConnectOptions};

use super::{Postgres, notify::Notifier, schema, settings::Settings, watermark::Watermarks};
use crate::storage::{
    Guarded, Migration, Storage, StorageResult,
    connect::without_password,
    sql::{
        CommonOptions, SqlStorage, Url, common_setters, flag, number,
        pooled::{PoolOptions, Pooled, pool_setters},
    },
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
#[derive(Clone)]
pub struct PostgresOptions {
    common: CommonOptions,
    pool: PoolOptions<sqlx::Postgres>,
    schema: String,
    listen: Option<bool>,
    listen_url: Option<PgConnectOptions>,
    pooler: bool,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is left out has passwords.
        let mut options = f.debug_struct("PostgresOptions");
        options.field("common", &self.common).field("schema", &self.schema).field("listen", &self.listen);
        options.field("pooler", &self.pooler).finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that PostgreSQL's own clients know, such
    /// as `sslmode`, and these, each of which is explained at the method of its name:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `schema` | letters, digits and `_` | `jobs` |
    /// | `prepare_schema` | `true` or `false` | `true` |
    /// | `max_connections` | 2 to 1000 | 10 |
    /// | `listen` | `true` or `false` | `true`, unless there is a `pooler` |
    /// | `pooler` | `true` or `false` | `false` |
    /// | `queue_poll_interval` | a time such as `200ms` or `15s` | `1s` |
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
        let mut options =
            Self::new(without_password(parts.base), PoolOptions::new(PgConnectOptions::new_without_pgpass()));
        let rest = parts.apply(|key, value| options.set(key, value))?;
        options.pool = options.pool.to(connection(&parts, &rest)?);
        Ok(options)
    }

    /// Uses connections of the application's own pool. They must be let in for as long as the storage is used: the storage
    /// doesn't close the pool, and no longer works when someone else does.
    ///
    /// `LISTEN` needs a connection beside the pool, and handlers that take a [`JobTx`](crate::storage::JobTx) as many as the
    /// pool may have; they are made with its settings.
    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        let connect = pool.connect_options();
        let database = connect.get_database().unwrap_or_else(|| connect.get_username());
        let storage = format!("postgres://{}:{}/{database}", connect.get_host(), connect.get_port());
        Self::new(storage, PoolOptions::of(pool))
    }

    fn new(storage: String, pool: PoolOptions<sqlx::Postgres>) -> Self {
        let common = CommonOptions::new(storage);
        Self { common, pool, schema: "jobs".to_owned(), listen: None, listen_url: None, pooler: false }
    }

    fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let done = match key {
            "schema" => {
                self.schema = value.to_owned();
                Ok(())
            }
            "listen" => flag(key, value).map(|listen| self.listen = Some(listen)),
            "pooler" => flag(key, value).map(|pooler| self.pooler = pooler),
            "max_connections" => number(key, value).map(|connections| self.pool.max_connections = connections),
            _ => return self.common.set(key, value),
        };
        Some(done)
    }

    common_setters!();
    pool_setters!();

    /// The schema in which the tables are: letters, digits and `_`; `jobs` by default. Programs with different schemas
    /// share a database without seeing each other's jobs.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Whether to wake other processes by `NOTIFY`, and to be woken by `LISTEN`; `true` by default.
    ///
    /// Without it, servers find what other processes stored when they [poll](Self::queue_poll_interval).
    #[must_use]
    pub fn listen(mut self, listen: bool) -> Self {
        self.listen = Some(listen);
        self
    }

    /// Where to `LISTEN`, if not where everything else is done: a URL that goes past a [pooler](Self::pooler), straight to
    /// the same database. It takes one connection.
    ///
    /// # Errors
    ///
    /// [`StorageError::InvalidUrl`](crate::storage::StorageError::InvalidUrl) if it is no URL of a PostgreSQL database.
    pub fn listen_url(mut self, url: &str) -> StorageResult<Self> {
        // It may go through another pooler, which lets it listen.
        self.listen_url = Some(connection(&Url::parse(url), url)?.extra_float_digits(None));
        Ok(self)
    }

    /// Whether a connection pooler in transaction mode, such as PgBouncer, stands between this program and the database;
    /// `false` by default.
    ///
    /// Then nothing is left in a connection from one transaction to the next: no prepared statement, no setting. The
    /// pooler may have any settings, and any number of connections.
    ///
    /// Through such a pooler other processes can be notified, but nobody can listen. So this one doesn't, and its servers
    /// find what others stored when they [poll](Self::queue_poll_interval); unless there is a
    /// [`listen_url`](Self::listen_url).
    #[must_use]
    pub fn pooler(mut self, pooler: bool) -> Self {
        self.pooler = pooler;
        self
    }

    /// How often servers look at their queues when nothing wakes them; every second by default, and never zero. Jobs of
    /// this process are seen at once, and with [`listen`](Self::listen) those of others too; then it is every 5 s at most,
    /// as soon as a notification has arrived.
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
        let storage = self.prepare_schema(true).listen(false).open().await?;
        storage.close().await;
        Ok(())
    }

    /// All migrations with their statements, for those who run them by hand.
    #[must_use]
    pub fn migrations(&self) -> Vec<Migration> {
        schema::migrations(&self.schema)
    }

    pub(super) async fn pooled(mut self) -> StorageResult<Pooled<Postgres>> {
        self.check()?;
        self.common.storage = format!("{}?schema={}", self.common.storage, self.schema);
        let notifier = Notifier::new(&self.schema, self.listen != Some(false), self.listens());
        if self.pooler {
            // Poolers refuse connections that ask for settings they don't know.
            let connect = self.pool.connect.clone().statement_cache_capacity(0).extra_float_digits(None);
            self.pool.plain = connect.clone();
            self.pool.connect = connect;
        }
        let shared = self.pooler || self.pool.pool.is_some();
        let settings = if shared { Settings::OfTransaction } else { Settings::OfConnection };
        self.pool.connect = settings.connect(self.pool.connect);
        let watermarks = Watermarks::new();
        let driver = Postgres { schema: self.schema, notifier, watermarks, settings, has_pooler: self.pooler };
        Pooled::open(driver, self.common, self.pool).await
    }

    /// How to make the connection that listens, if there is to be one.
    fn listens(&self) -> Option<PgConnectOptions> {
        let by_default = if self.pooler { None } else { Some(&self.pool.connect) };
        let connect = self.listen_url.as_ref().or(by_default);
        connect.filter(|_| self.listen != Some(false)).cloned()
    }

    fn check(&self) -> StorageResult<()> {
        if self.pooler && self.listen == Some(true) && self.listen_url.is_none() {
            return Err(self.common.open_error(
                "nobody can listen through a pooler: leave `listen` out, or set `listen_url` to a URL that goes past it",
            ));
        }
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts = self.schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if starts && self.schema.chars().all(valid) && self.schema.len() <= 50 {
            return Ok(());
        }
        Err(self.common.open_error(format!(
            "`{}` can't be the name of the schema: use 1 to 50 of `a-z`, `0-9` and `_`, and begin with a letter",
            self.schema
        )))
    }
}

/// How to connect to what `rest` says, which is of the URL `whole` what the driver understands.
fn connection(whole: &Url<'_>, rest: &str) -> StorageResult<PgConnectOptions> {
    if !rest.starts_with("postgres://") && !rest.starts_with("postgresql://") {
        return Err(whole.invalid("write `postgres://USER:PASSWORD@HOST/DATABASE`"));
    }
    let connect = PgConnectOptions::from_str(rest).map_err(|error| whole.invalid(error.to_string()))?;
    let is_named = connect.get_application_name().is_some();
    Ok(if is_named { connect } else { connect.application_name("jobs") })
}

/// What stands before the names of the tables in a schema.
pub(super) fn prefix(schema: &str) -> String {
    format!("{schema}.")
}
