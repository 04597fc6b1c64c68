//! Jobs in a SQLite file, for one machine and any number of its processes.
//!
//! One writer a process groups everything that wants to write into few commits; readers have connections of
//! their own. The writer notices other processes' writes by the file's data version.

mod begin;
mod change;
mod claim;
mod connection;
mod continuation;
mod enqueue;
mod expire;
mod finish;
mod heartbeat;
mod link;
mod monitor;
mod options;
mod promote;
mod rescue;
mod rows;
mod schedule;
mod schema;
mod sql;
mod statistics;
mod stored;
#[cfg(test)]
mod tests;
mod transition;
mod tx;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};

pub use self::options::{SqliteOptions, Synchronous};
use self::{
    link::{Cause, Link},
    sql::Sql,
    writer::Writer,
};
use super::{
    Change, Changed, Claim, ClaimToken, ClaimedJob, DueCursor, DueSchedules, Finish, NewJob, Promotion, Recorded,
    Rescue, Rescued, ScheduleWrite, ScheduleWritten, ServerId, ServerRecord, Signals, Storage, StorageError,
    StorageResult,
};
use crate::{clock::Clock, job::JobId};

/// The storage behind `sqlite://`.
#[derive(Debug)]
pub(crate) struct SqliteStorage {
    shared: Arc<Shared>,
    writer: Writer,
    readers: SqlitePool,
    /// What servers ask does not wait until pages of a dashboard are read.
    server_reader: SqlitePool,
}

/// What the storage and its writer both need.
#[derive(Debug)]
struct Shared {
    options: SqliteOptions,
    sql: Sql,
    signals: Signals,
}

impl SqliteStorage {
    pub(super) async fn open(options: SqliteOptions) -> StorageResult<Self> {
        options.check()?;
        let sql = Sql::new(&options.table_prefix);
        let shared = Arc::new(Shared { sql, options, signals: Signals::default() });
        let mut connection = connection::create(&shared.options).await?;
        schema::prepare(&mut connection, &shared).await?;
        Self::start(shared, connection).await
    }

    /// Starts the writer with this connection.
    async fn start(shared: Arc<Shared>, connection: SqliteConnection) -> StorageResult<Self> {
        let readers = connection::readers(&shared.options, 4);
        let server_reader = connection::readers(&shared.options, 1);
        let link = Link::new(Arc::clone(&shared), connection).await?;
        let writer = Writer::start(Arc::clone(&shared), link)?;
        Ok(Self { shared, writer, readers, server_reader })
    }
}

impl Shared {
    fn url(&self) -> String {
        self.options.url()
    }

    fn failed(&self, source: sqlx::Error) -> StorageError {
        StorageError::Failed { storage: self.url(), source: Box::new(source) }
    }

    /// One error for each of those whom it concerns.
    fn failed_for_all(&self, cause: &Cause) -> StorageError {
        StorageError::Failed { storage: self.url(), source: Box::new(Arc::clone(cause)) }
    }

    fn corrupt(&self, reason: impl Into<String>) -> StorageError {
        StorageError::Corrupt { storage: self.url(), reason: reason.into() }
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    fn clock(&self) -> &Clock {
        &self.shared.options.clock
    }

    fn signals(&self) -> &Signals {
        &self.shared.signals
    }

    fn describe(&self) -> String {
        self.shared.url()
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.writer.run(enqueue::Enqueue(jobs)).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.writer.run(claim).await
    }

    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()> {
        self.writer.run(begin::Begin(claims)).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        self.writer.run(finish::FinishBatch(batch)).await
    }

    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>> {
        self.writer.run(change::ChangeBatch(batch)).await
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.writer.run(promote::Promote { limit }).await
    }

    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        self.find_due(after, limit).await
    }

    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>> {
        self.writer.run(schedule::WriteSchedules(batch)).await
    }

    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.writer.run(heartbeat::Heartbeat(server.clone())).await
    }

    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>> {
        self.writer.run(rescue).await
    }

    async fn retire(&self, server: &ServerId) -> StorageResult<()> {
        self.writer.run(heartbeat::Retire(server.clone())).await
    }

    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.find_revoked(claims).await
    }

    async fn expire(&self, limit: usize) -> StorageResult<usize> {
        self.writer.run(expire::Expire { limit }).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.server_reader.close().await;
        self.writer.close().await;
    }
}
