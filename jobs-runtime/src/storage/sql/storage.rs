use std::fmt;

use async_trait::async_trait;

use super::{
    Begin, ChangeBatch, CountJobs, Expire, FindDue, FindJob, FindRevoked, FindSchedule, FindStates, FindStatistics,
    FindTotals, Heartbeat, ListJobs, ListQueues, ListSchedules, ListServers, Query, ReleaseLock, Retire, SetParameters,
    TakeLock, Verb, WriteSchedules,
};
use crate::{
    clock::{Clock, Timestamp},
    job::{JobId, Parameters, ScheduleId},
    state::StateName,
    storage::{
        Change, Changed, Claim, ClaimToken, ClaimedJob, Counts, DueCursor, DueSchedules, Finish, Intervals, JobDetails,
        JobFilter, JobPage, JobTransaction, LockRequest, Monitor, NewJob, OngoingTransaction, PageRequest, Period,
        Promotion, QueueStatus, Recorded, Rescue, Rescued, ScheduleWrite, ScheduleWritten, ServerId, ServerRecord,
        ServerStatus, Signals, Statistics, Storage, StorageResult, StoredSchedule, Turn,
    },
};

/// A database: how it is reached, and the verbs on which its speed depends.
pub(crate) trait Database: fmt::Debug + Send + Sync + 'static {
    fn clock(&self) -> &Clock;
    fn signals(&self) -> &Signals;
    fn describe(&self) -> String;
    fn intervals(&self) -> Intervals;
    fn list_limit(&self) -> u64;

    /// Runs a verb in a transaction, and announces what it brought about.
    fn write<V: Verb>(&self, verb: V) -> impl Future<Output = StorageResult<V::Answer>> + Send;

    /// Runs a query at one and the same moment.
    fn read<Q: Query>(&self, query: Q) -> impl Future<Output = StorageResult<Q::Answer>> + Send;

    /// The same for what servers ask, which does not wait until the pages of a dashboard are read.
    fn read_first<Q: Query>(&self, query: Q) -> impl Future<Output = StorageResult<Q::Answer>> + Send;

    fn enqueue(&self, jobs: Vec<NewJob>) -> impl Future<Output = StorageResult<()>> + Send;
    fn claim(&self, claim: Claim) -> impl Future<Output = StorageResult<Vec<ClaimedJob>>> + Send;
    fn finish(&self, batch: Vec<Finish>) -> impl Future<Output = StorageResult<Vec<Recorded>>> + Send;
    fn finish_and_claim(&self, batch: Vec<Finish>, claim: Claim) -> impl Future<Output = Turn> + Send;
    fn promote(&self, limit: usize) -> impl Future<Output = StorageResult<Promotion>> + Send;

    /// The database's name.
    fn name(&self) -> &'static str;

    /// Stores jobs in a transaction of the application's.
    fn enqueue_in(
        &self,
        transaction: OngoingTransaction<'_>,
        jobs: Vec<NewJob>,
    ) -> impl Future<Output = StorageResult<()>> + Send;

    fn begin_transaction(&self) -> impl Future<Output = StorageResult<JobTransaction>> + Send;

    /// Records an outcome in the transaction of its run, and commits both.
    fn finish_in(
        &self,
        transaction: JobTransaction,
        finish: Finish,
    ) -> impl Future<Output = StorageResult<Recorded>> + Send;

    /// Sums up counters of hours that are over; of use where several rows count for one hour.
    fn aggregate(&self, _limit: usize) -> impl Future<Output = StorageResult<usize>> + Send {
        async { Ok(0) }
    }

    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// The storage that a database makes.
#[derive(Debug)]
pub(crate) struct SqlStorage<D>(pub(crate) D);

#[async_trait]
impl<D: Database> Storage for SqlStorage<D> {
    fn clock(&self) -> &Clock {
        self.0.clock()
    }

    fn signals(&self) -> &Signals {
        self.0.signals()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.0.enqueue(jobs).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.0.claim(claim).await
    }

    fn intervals(&self) -> Intervals {
        self.0.intervals()
    }

    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()> {
        self.0.write(Begin(claims)).await
    }

    async fn set_parameters(&self, job: JobId, token: ClaimToken, parameters: Parameters) -> StorageResult<Recorded> {
        self.0.write(SetParameters(job, token, parameters)).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        self.0.finish(batch).await
    }

    async fn finish_and_claim(&self, batch: Vec<Finish>, claim: Claim) -> Turn {
        self.0.finish_and_claim(batch, claim).await
    }

    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>> {
        self.0.write(ChangeBatch(batch)).await
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.0.promote(limit).await
    }

    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        self.0.read_first(FindDue { after, limit, now: self.0.clock().now() }).await
    }

    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>> {
        self.0.write(WriteSchedules(batch)).await
    }

    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.0.write(Heartbeat(server.clone())).await
    }

    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>> {
        self.0.write(rescue).await
    }

    async fn lock(&self, request: LockRequest) -> StorageResult<bool> {
        self.0.write(TakeLock(request)).await
    }

    async fn unlock(&self, name: &str, owner: &str) -> StorageResult<bool> {
        self.0.write(ReleaseLock(name.to_owned(), owner.to_owned())).await
    }

    async fn retire(&self, server: &ServerId) -> StorageResult<()> {
        self.0.write(Retire(server.clone())).await
    }

    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.0.read_first(FindRevoked(claims)).await
    }

    async fn aggregate_counters(&self, limit: usize) -> StorageResult<usize> {
        self.0.aggregate(limit).await
    }

    async fn expire(&self, limit: usize) -> StorageResult<usize> {
        self.0.write(Expire { limit }).await
    }

    fn database(&self) -> Option<&'static str> {
        Some(self.0.name())
    }

    async fn enqueue_in(&self, transaction: OngoingTransaction<'_>, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.0.enqueue_in(transaction, jobs).await
    }

    async fn begin_transaction(&self) -> StorageResult<JobTransaction> {
        self.0.begin_transaction().await
    }

    async fn finish_in(&self, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
        self.0.finish_in(transaction, finish).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

#[async_trait]
impl<D: Database> Monitor for SqlStorage<D> {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        self.0.read(FindJob(id)).await
    }

    async fn states(&self, ids: &[JobId]) -> StorageResult<Vec<(JobId, StateName)>> {
        self.0.read(FindStates(ids.to_vec())).await
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        self.0.read(ListJobs { filter: filter.clone(), page: page.clone() }).await
    }

    async fn counts(&self) -> StorageResult<Counts> {
        self.0.read(CountJobs { cap: self.0.list_limit() }).await
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        self.0.read(ListQueues { cap: self.0.list_limit() }).await
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        self.0.read(ListServers).await
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        self.0.read(FindStatistics { period, from, until }).await
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        self.0.read(FindTotals).await
    }

    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        self.0.read(FindSchedule(id.clone())).await
    }

    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>> {
        self.0.read(ListSchedules { after: after.cloned(), limit }).await
    }
}
