use std::{path::PathBuf, sync::Arc, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::{Sqlite, schema};
use crate::{
    clock::Clock,
    storage::{
        Guarded, Migration, Storage, StorageResult,
        sql::{CommonOptions, SqlStorage, Url, common_setters, time},
    },
};

/// Settings of a SQLite storage.
///
/// ```no_run
/// # async fn open() -> Result<(), jobs_runtime::storage::StorageError> {
/// use jobs_runtime::storage::sqlite::SqliteOptions;
///
/// let storage = SqliteOptions::new("jobs.db").table_prefix("mail_").open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    pub(super) common: CommonOptions,
    pub(super) file: PathBuf,
    pub(super) table_prefix: String,
    synchronous: Synchronous,
    pub(super) busy_timeout: Duration,
}

/// What a commit waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Synchronous {
    /// The disk: nothing that was acknowledged is lost even when the power fails. The default.
    Full,
    /// The operating system: nothing that was acknowledged is lost when the process is killed, but the last
    /// commits may be when the power fails. Faster.
    Normal,
}

impl SqliteOptions {
    /// The file `file`, with the defaults of each option below.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        let mut common = CommonOptions::new(format!("sqlite://{}", file.display()));
        common.intervals.queue_poll = Duration::from_millis(10);
        Self {
            common,
            file,
            table_prefix: "jobs_".to_owned(),
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(10),
        }
    }

    /// Reads `sqlite://FILE`, with these options as a query, each of which is explained at the method of its name:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `table_prefix` | letters, digits and `_` | `jobs_` |
    /// | `synchronous` | `full` or `normal` | `full` |
    /// | `prepare_schema` | `true` or `false` | `true` |
    /// | `queue_poll_interval` | a time such as `200ms` or `15s` | `10ms` |
    /// | `expiration_check_interval` | a time | `60s` |
    /// | `transaction_timeout` | a time | `30s` |
    /// | `busy_timeout` | a time | `10s` |
    /// | `list_limit` | 1 to 1000000 | 10000 |
    ///
    /// # Errors
    ///
    /// [`StorageError::InvalidUrl`](crate::storage::StorageError::InvalidUrl) if it is no such URL.
    pub fn from_url(url: &str) -> StorageResult<Self> {
        let parts = Url::parse(url);
        let file = parts.base.strip_prefix("sqlite://").ok_or_else(|| {
            parts.invalid("write `sqlite://FILE`, as in `sqlite://jobs.db` or `sqlite:///var/jobs.db`")
        })?;
        if file.is_empty() || file == ":memory:" {
            return Err(parts.invalid("it names no file; for jobs in memory use `memory:`"));
        }
        let mut options = Self::new(file);
        parts.apply(|key, value| Some(options.set(key, value)))?;
        Ok(options)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (key, value) {
            ("table_prefix", prefix) => prefix.clone_into(&mut self.table_prefix),
            ("synchronous", "full") => self.synchronous = Synchronous::Full,
            ("synchronous", "normal") => self.synchronous = Synchronous::Normal,
            ("synchronous", other) => return Err(format!("`synchronous={other}` must be `full` or `normal`")),
            ("busy_timeout", value) => self.busy_timeout = time(key, value)?,
            // One process counts into one row an hour: there is nothing to sum up.
            ("counters_aggregation_interval", _) => return Err(unknown(key)),
            _ => return self.common.set(key, value).unwrap_or_else(|| Err(unknown(key))),
        }
        Ok(())
    }

    common_setters!();

    /// What the names of all tables begin with: letters, digits and `_`. Programs with different prefixes share
    /// a file without seeing each other's jobs.
    #[must_use]
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.table_prefix = prefix.into();
        self
    }

    /// What a commit waits for.
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How often to look whether another process wrote to the file; 10 ms by default, and never zero. Writes of
    /// this process are seen at once.
    #[must_use]
    pub fn queue_poll_interval(mut self, interval: Duration) -> Self {
        self.common.intervals.queue_poll = interval;
        self
    }

    /// How long to wait while another process writes; 10 s by default.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Another clock, such as that of a [`TestClock`](crate::testing::TestClock).
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.common.clock = Some(clock);
        self
    }

    /// Opens the file, makes it if it isn't there, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::storage::connect()).
    pub async fn open(self) -> StorageResult<Arc<dyn Storage>> {
        let limit = self.common.transaction_timeout;
        let storage = SqlStorage(Sqlite::open(self).await?);
        Ok(Arc::new(Guarded::new(Arc::new(storage), limit)))
    }

    /// Makes the tables if they aren't there, and brings them up to date, whatever
    /// [`prepare_schema`](Self::prepare_schema) says.
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

    pub(super) fn url(&self) -> String {
        self.common.storage.clone()
    }

    pub(super) fn check(&self) -> StorageResult<()> {
        self.common.check()?;
        let fits = |prefix: &str| prefix.len() <= 40 && prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if fits(&self.table_prefix) && !self.table_prefix.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(());
        }
        Err(self.common.open_error(format!(
            "table prefix `{}` must be at most 40 letters, digits and `_`, and not begin with a digit",
            self.table_prefix
        )))
    }

    /// The pragmas belong to each connection, so each is opened with all of them.
    pub(super) fn connect_options(&self) -> SqliteConnectOptions {
        let synchronous = match self.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        };
        SqliteConnectOptions::new()
            .filename(&self.file)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(self.busy_timeout)
            .foreign_keys(false)
            .statement_cache_capacity(300)
            .row_buffer_size(1_000)
            .pragma("cache_size", "-32000")
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", "4000")
            // A burst or a long read makes the write-ahead log grow; it is cut back to this afterwards.
            .pragma("journal_size_limit", "67108864")
    }
}

fn unknown(key: &str) -> String {
    format!(
        "unknown option `{key}`; known are table_prefix, synchronous, prepare_schema, queue_poll_interval, \
         expiration_check_interval, transaction_timeout, busy_timeout and list_limit"
    )
}
