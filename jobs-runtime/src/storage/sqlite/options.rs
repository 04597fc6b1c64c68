use std::{path::PathBuf, sync::Arc, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::Sqlite;
use crate::{
    clock::Clock,
    storage::{Guarded, Retention, Storage, StorageError, StorageResult, connect::invalid, sql::SqlStorage},
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
    pub(super) file: PathBuf,
    pub(super) table_prefix: String,
    pub(super) migrate: bool,
    pub(super) retention: Retention,
    pub(super) poll_interval: Duration,
    pub(super) clock: Clock,
    synchronous: Synchronous,
    pub(super) busy_timeout: Duration,
    operation_timeout: Duration,
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
        Self {
            file: file.into(),
            table_prefix: "jobs_".to_owned(),
            migrate: true,
            retention: Retention::DEFAULT,
            poll_interval: Duration::from_millis(10),
            clock: Clock::system(),
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(10),
            operation_timeout: Guarded::DEFAULT_LIMIT,
        }
    }

    /// Reads `sqlite://FILE`, with these options as a query:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `table_prefix` | letters, digits and `_` | `jobs_` |
    /// | `synchronous` | `full` or `normal` | `full` |
    /// | `migrate` | `true` or `false` | `true` |
    ///
    /// # Errors
    ///
    /// [`StorageError::InvalidUrl`] if it is no such URL.
    pub fn from_url(url: &str) -> StorageResult<Self> {
        let rest = url.strip_prefix("sqlite://").ok_or_else(|| {
            invalid(url, "write `sqlite://FILE`, as in `sqlite://jobs.db` or `sqlite:///var/jobs.db`")
        })?;
        let (file, query) = rest.split_once('?').unwrap_or((rest, ""));
        if file.is_empty() || file == ":memory:" {
            return Err(invalid(url, "it names no file; for jobs in memory use `memory:`"));
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .try_fold(Self::new(file), |options, (key, value)| {
                options.set(key, value).map_err(|reason| invalid(url, reason))
            })
    }

    fn set(self, key: &str, value: &str) -> Result<Self, String> {
        match (key, value) {
            ("table_prefix", prefix) => Ok(self.table_prefix(prefix)),
            ("synchronous", "full") => Ok(self.synchronous(Synchronous::Full)),
            ("synchronous", "normal") => Ok(self.synchronous(Synchronous::Normal)),
            ("migrate", "true") => Ok(self.migrate(true)),
            ("migrate", "false") => Ok(self.migrate(false)),
            ("synchronous", other) => Err(format!("`synchronous={other}` must be `full` or `normal`")),
            ("migrate", other) => Err(format!("`migrate={other}` must be `true` or `false`")),
            (other, _) => Err(format!("unknown option `{other}`; known are table_prefix, synchronous and migrate")),
        }
    }

    /// What the names of all tables begin with: letters, digits and `_`. Programs with different prefixes share
    /// a file without seeing each other's jobs.
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

    /// What a commit waits for.
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long finished jobs are kept.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// How often to look whether another process wrote to the file; 10 ms by default, and never zero. Writes of
    /// this process are seen at once.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// How long to wait while another process writes; 10 s by default.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How long one verb of the storage may take before it fails with [`StorageError::Timeout`]; 30 s by default.
    #[must_use]
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// Another clock, such as that of a [`TestClock`](crate::testing::TestClock).
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the file, makes it if it isn't there, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::storage::connect()).
    pub async fn open(self) -> StorageResult<Arc<dyn Storage>> {
        let limit = self.operation_timeout;
        let storage = SqlStorage(Sqlite::open(self).await?);
        Ok(Arc::new(Guarded::new(Arc::new(storage), limit)))
    }

    pub(super) fn url(&self) -> String {
        format!("sqlite://{}", self.file.display())
    }

    pub(super) fn check(&self) -> StorageResult<()> {
        if self.poll_interval.is_zero() {
            let reason = "the poll interval must be longer than zero".to_owned();
            return Err(StorageError::Open { storage: self.url(), reason, source: None });
        }
        let fits = |prefix: &str| prefix.len() <= 40 && prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if fits(&self.table_prefix) && !self.table_prefix.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(());
        }
        let reason = format!(
            "table prefix `{}` must be at most 40 letters, digits and `_`, and not begin with a digit",
            self.table_prefix
        );
        Err(StorageError::Open { storage: self.url(), reason, source: None })
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
