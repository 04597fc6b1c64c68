//! The writer's connection: opened again when it broke, patient while other processes write, and the one that
//! notices what they wrote.

use std::{
    error::Error as StdError,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection, SqliteConnection};
use tracing::{error, warn};

use super::{
    Shared,
    connection::{self, BUSY, code},
    transactions::{NoTurn, Turn},
};
use crate::storage::StorageResult;

/// An error that concerns several callers.
pub(super) type Cause = Arc<dyn StdError + Send + Sync>;

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long another process that has written is taken to want to write again.
const SHARED_FOR: Duration = Duration::from_secs(1);

pub(super) struct Link {
    shared: Arc<Shared>,
    connection: Option<SqliteConnection>,
    /// How long to wait before a broken connection is opened again: not at all the first time after a commit.
    pause: Duration,
    /// The file's version, which only the commits of other connections change.
    version: i64,
    looked: Instant,
    /// When another process was last seen to have written.
    others: Option<Instant>,
}

impl Link {
    pub(super) async fn new(shared: Arc<Shared>, mut connection: SqliteConnection) -> StorageResult<Self> {
        let version = prepare(&mut connection).await.map_err(|source| shared.failed(source))?;
        let (connection, looked) = (Some(connection), Instant::now());
        Ok(Self { shared, connection, pause: Duration::ZERO, version, looked, others: None })
    }

    /// The open connection.
    pub(super) fn connection(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// Waits until no handler of this process writes, at most for the busy timeout.
    pub(super) async fn turn(&self) -> Result<Turn, Cause> {
        let turn = self.shared.turns.of_writer(self.shared.options.busy_timeout).await;
        turn.ok_or_else(|| Arc::new(NoTurn) as Cause)
    }

    /// Begins a transaction, and waits for it as long as the busy timeout.
    ///
    /// SQLite's own busy handler sleeps up to 100 ms at a time, and hardly ever wakes in one of the short gaps
    /// that a process with much to write leaves.
    pub(super) async fn begin(&mut self) -> Result<(), Cause> {
        self.reopen().await.map_err(|error| Arc::new(error) as Cause)?;
        let began = Instant::now();
        loop {
            match self.execute("BEGIN IMMEDIATE").await {
                Ok(()) => return Ok(()),
                Err(error) if !is_busy(&error) => return Err(self.broken(error)),
                Err(error) if began.elapsed() >= self.shared.options.busy_timeout => return Err(Arc::new(error)),
                Err(_) => tokio::time::sleep(Duration::from_micros(fastrand::u64(1_000..2_000))).await,
            }
            self.look().await;
        }
    }

    pub(super) async fn commit(&mut self) -> Result<(), Cause> {
        self.execute("COMMIT").await.map_err(|error| self.broken(error))?;
        self.pause = Duration::ZERO;
        Ok(())
    }

    /// Takes everything back that the transaction did, and returns whether the connection is still good.
    ///
    /// It is not when SQLite took it back by itself, as it does when the disk is full.
    pub(super) async fn rollback(&mut self) -> bool {
        let done = self.execute("ROLLBACK").await;
        done.map_err(|error| self.broken(error)).is_ok()
    }

    /// Wakes all waiters if another connection has committed; asks at most once a poll interval.
    ///
    /// `PRAGMA data_version` costs no disk access: it compares a counter in shared memory.
    pub(super) async fn look(&mut self) {
        if !self.next_look().is_zero() {
            return;
        }
        self.looked = Instant::now();
        match self.reopen().await {
            Ok(()) => self.compare_version().await,
            Err(error) => warn!(storage = %self.shared.url(), %error, "can't open the SQLite file again"),
        }
    }

    /// How long until it is time to look.
    pub(super) fn next_look(&self) -> Duration {
        self.shared.options.common.intervals.queue_poll.saturating_sub(self.looked.elapsed())
    }

    /// Leaves another process that writes too a gap to begin in.
    pub(super) async fn give_way(&self) {
        if self.others.is_some_and(|seen| seen.elapsed() < SHARED_FOR) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(super) async fn close(self) {
        let Some(connection) = self.connection else { return };
        if let Err(source) = connection.close().await {
            error!(storage = %self.shared.url(), error = %source, "closing the SQLite connection failed");
        }
    }

    async fn compare_version(&mut self) {
        let Ok(connection) = self.connection() else { return };
        match version(connection).await {
            Ok(version) if version == self.version => {}
            Ok(version) => {
                (self.version, self.others) = (version, Some(Instant::now()));
                self.shared.signals.notify_all();
            }
            Err(error) if is_busy(&error) => {}
            Err(error) => drop(self.broken(error)),
        }
    }

    /// Runs one of the statements round a transaction. They are plain ones, because sqlx's own count of open
    /// transactions goes wrong when SQLite ends one by itself.
    async fn execute(&mut self, statement: &'static str) -> sqlx::Result<()> {
        sqlx::query(statement).execute(self.connection()?).await.map(drop)
    }

    /// Drops a connection of which nobody knows what state it is in.
    fn broken(&mut self, error: sqlx::Error) -> Cause {
        warn!(storage = %self.shared.url(), %error, "the SQLite connection is opened anew");
        self.connection = None;
        Arc::new(error)
    }

    /// Opens a connection that broke; if it does so again and again, after longer and longer pauses.
    async fn reopen(&mut self) -> StorageResult<()> {
        if self.connection.is_some() {
            return Ok(());
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        let mut connection = connection::open(&self.shared.options).await?;
        self.version = prepare(&mut connection).await.map_err(|source| self.shared.failed(source))?;
        self.connection = Some(connection);
        // What others wrote in between can't be told from what they wrote before.
        self.shared.signals.notify_all();
        Ok(())
    }
}

/// Makes a connection the writer's, which waits for locks itself, and returns the file's version.
pub(super) async fn prepare(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    let version = version(connection).await?;
    sqlx::query("PRAGMA busy_timeout = 0").execute(connection).await?;
    Ok(version)
}

async fn version(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await
}

fn is_busy(error: &sqlx::Error) -> bool {
    code(error) == Some(BUSY)
}
