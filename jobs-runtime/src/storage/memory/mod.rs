//! Jobs in this process's memory: for tests and development. They are gone when the process ends.

mod change;
mod claim;
mod enqueue;
mod expire;
mod finish;
mod lock;
mod monitor;
mod promote;
mod rescue;
mod schedule;
mod tables;
mod transition;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::tables::Tables;
use super::{
    Change, Changed, Claim, ClaimToken, ClaimedJob, DueCursor, DueSchedules, Finish, Guarded, LockRequest, NewJob,
    Promotion, Recorded, Rescue, Rescued, Retention, ScheduleWrite, ScheduleWritten, ServerId, ServerRecord, Signals,
    Storage, StorageError, StorageResult,
};
use crate::{
    clock::Clock,
    job::{JobId, Parameters},
};

/// Settings of a storage in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryOptions {
    clock: Clock,
    retention: Retention,
}

impl MemoryOptions {
    /// The system's clock, 24 hours of retention.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another clock, such as that of a [`TestClock`](crate::testing::TestClock).
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How long finished jobs are kept.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Makes an empty storage.
    #[must_use]
    pub fn open(self) -> Arc<dyn Storage> {
        let storage = MemoryStorage {
            tables: Mutex::new(Tables::new(self.retention)),
            clock: self.clock,
            signals: Signals::default(),
        };
        Arc::new(Guarded::new(Arc::new(storage), Guarded::DEFAULT_LIMIT))
    }
}

/// The storage behind `memory:`.
#[derive(Debug)]
pub(crate) struct MemoryStorage {
    tables: Mutex<Tables>,
    clock: Clock,
    signals: Signals,
}

impl MemoryStorage {
    /// A panic in a verb can't leave the tables half changed in a way that later verbs can't bear.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, verb: impl FnOnce(&mut Tables) -> T) -> T {
        let (result, effects) = {
            let mut tables = self.tables();
            tables.now = self.clock.now();
            let result = verb(&mut tables);
            (result, tables.take_effects())
        };
        effects.announce(&self.signals);
        result
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn describe(&self) -> String {
        "memory:".to_owned()
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        let now = self.clock.now();
        self.write(|tables| tables.enqueue(jobs, now))
            .map_err(|parent| StorageError::UnknownParent { storage: self.describe(), parent })
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        let now = self.clock.now();
        Ok(self.write(|tables| tables.claim(&claim, now)))
    }

    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()> {
        self.tables().begin(&claims);
        Ok(())
    }

    async fn set_parameters(&self, job: JobId, token: ClaimToken, parameters: Parameters) -> StorageResult<Recorded> {
        Ok(self.write(|tables| tables.set_parameters(job, token, parameters)))
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        Ok(self.write(|tables| batch.into_iter().map(|finish| tables.finish(finish)).collect()))
    }

    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>> {
        Ok(self.write(|tables| batch.into_iter().map(|change| tables.change(change)).collect()))
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        let now = self.clock.now();
        Ok(self.write(|tables| tables.promote(limit, now)))
    }

    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        let now = self.clock.now();
        Ok(self.tables().find_due(after, limit, now))
    }

    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>> {
        Ok(self.write(|tables| batch.into_iter().map(|write| tables.write_schedule(write)).collect()))
    }

    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let now = self.clock.now();
        let mut tables = self.tables();
        tables.servers.insert(server.id.clone(), (server.clone(), now));
        Ok(tables.held_by(&server.id).collect())
    }

    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>> {
        let now = self.clock.now();
        Ok(self.write(|tables| tables.rescue(&rescue, now)))
    }

    async fn lock(&self, request: LockRequest) -> StorageResult<bool> {
        let now = self.clock.now();
        Ok(self.tables().lock(request, now))
    }

    async fn unlock(&self, name: &str, owner: &str) -> StorageResult<bool> {
        Ok(self.tables().unlock(name, owner))
    }

    async fn retire(&self, server: &ServerId) -> StorageResult<()> {
        self.tables().servers.remove(server);
        Ok(())
    }

    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let tables = self.tables();
        Ok(claims.into_iter().filter(|(id, token)| !tables.holds(*id, *token)).collect())
    }

    async fn expire(&self, limit: usize) -> StorageResult<usize> {
        let now = self.clock.now();
        Ok(self.write(|tables| tables.expire(limit, now)))
    }

    async fn close(&self) {}
}
