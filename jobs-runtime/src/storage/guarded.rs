use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use tracing::{Instrument, debug_span};

use super::{
    Change, Changed, Claim, ClaimToken, ClaimedJob, Counts, DueCursor, DueSchedules, Finish, Intervals, JobDetails,
    JobFilter, JobPage, JobTransaction, LockRequest, Monitor, NewJob, OngoingTransaction, PageRequest, Period,
    Promotion, QueueStatus, Recorded, Rescue, Rescued, ScheduleWrite, ScheduleWritten, ServerId, ServerRecord,
    ServerStatus, Signals, Statistics, Storage, StorageError, StorageResult, StoredSchedule, Turn,
};
use crate::{
    clock::{Clock, Timestamp},
    job::{JobId, Parameters},
    schedule::ScheduleId,
    state::StateName,
};

/// Any storage, with a time limit and a span round each of its verbs: written once, for all backends.
#[derive(Debug)]
pub(crate) struct Guarded {
    inner: Arc<dyn Storage>,
    limit: Duration,
}

impl Guarded {
    /// How long a verb may take by default.
    pub(crate) const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

    pub(crate) fn new(inner: Arc<dyn Storage>, limit: Duration) -> Self {
        Self { inner, limit }
    }

    async fn guard<T>(
        &self,
        operation: &'static str,
        verb: impl Future<Output = StorageResult<T>> + Send,
    ) -> StorageResult<T> {
        if tokio::runtime::Handle::try_current().is_err() {
            let source = "it is not called from a tokio runtime; call it in one, with its time driver enabled".into();
            return Err(StorageError::Failed { storage: self.inner.describe(), source });
        }
        let verb = verb.instrument(debug_span!("storage", operation));
        match tokio::time::timeout(self.limit, verb).await {
            // A backend that notices at the same moment may name what it was doing instead of what was asked.
            Ok(Err(StorageError::Timeout { storage, limit, .. })) => {
                Err(StorageError::timeout(storage, operation, limit))
            }
            Ok(result) => result,
            Err(_) => Err(StorageError::timeout(self.inner.describe(), operation, self.limit)),
        }
    }
}

#[async_trait]
impl Storage for Guarded {
    fn clock(&self) -> &Clock {
        self.inner.clock()
    }

    fn signals(&self) -> &Signals {
        self.inner.signals()
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn intervals(&self) -> Intervals {
        self.inner.intervals()
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.guard("enqueue", self.inner.enqueue(jobs)).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.guard("claim", self.inner.claim(claim)).await
    }

    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()> {
        self.guard("begin", self.inner.begin(claims)).await
    }

    async fn set_parameters(&self, job: JobId, token: ClaimToken, parameters: Parameters) -> StorageResult<Recorded> {
        self.guard("set_parameters", self.inner.set_parameters(job, token, parameters)).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        self.guard("finish", self.inner.finish(batch)).await
    }

    async fn finish_and_claim(&self, batch: Vec<Finish>, claim: Claim) -> Turn {
        let turn = async { Ok(self.inner.finish_and_claim(batch, claim).await) };
        self.guard("finish_and_claim", turn).await.unwrap_or_else(|error| Turn::failed(error, &self.describe()))
    }

    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>> {
        self.guard("change", self.inner.change(batch)).await
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.guard("promote", self.inner.promote(limit)).await
    }

    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        self.guard("due_schedules", self.inner.due_schedules(after, limit)).await
    }

    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>> {
        self.guard("write_schedules", self.inner.write_schedules(batch)).await
    }

    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.guard("heartbeat", self.inner.heartbeat(server)).await
    }

    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>> {
        self.guard("rescue", self.inner.rescue(rescue)).await
    }

    async fn lock(&self, request: LockRequest) -> StorageResult<bool> {
        self.guard("lock", self.inner.lock(request)).await
    }

    async fn unlock(&self, name: &str, owner: &str) -> StorageResult<bool> {
        self.guard("unlock", self.inner.unlock(name, owner)).await
    }

    async fn retire(&self, server: &ServerId) -> StorageResult<()> {
        self.guard("retire", self.inner.retire(server)).await
    }

    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.guard("revoked", self.inner.revoked(claims)).await
    }

    async fn expire(&self, limit: usize) -> StorageResult<usize> {
        self.guard("expire", self.inner.expire(limit)).await
    }

    async fn aggregate_counters(&self, limit: usize) -> StorageResult<usize> {
        self.guard("aggregate_counters", self.inner.aggregate_counters(limit)).await
    }

    fn database(&self) -> Option<&'static str> {
        self.inner.database()
    }

    async fn enqueue_in(&self, transaction: OngoingTransaction<'_>, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.guard("enqueue_in", self.inner.enqueue_in(transaction, jobs)).await
    }

    async fn begin_transaction(&self) -> StorageResult<JobTransaction> {
        self.guard("begin_transaction", self.inner.begin_transaction()).await
    }

    async fn finish_in(&self, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
        self.guard("finish_in", self.inner.finish_in(transaction, finish)).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Monitor for Guarded {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        self.guard("job", self.inner.job(id)).await
    }

    async fn states(&self, ids: &[JobId]) -> StorageResult<Vec<(JobId, StateName)>> {
        self.guard("states", self.inner.states(ids)).await
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        self.guard("jobs", self.inner.jobs(filter, page)).await
    }

    async fn counts(&self) -> StorageResult<Counts> {
        self.guard("counts", self.inner.counts()).await
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        self.guard("queues", self.inner.queues()).await
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        self.guard("servers", self.inner.servers()).await
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        self.guard("statistics", self.inner.statistics(period, from, until)).await
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        self.guard("totals", self.inner.totals()).await
    }

    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        self.guard("schedule", self.inner.schedule(id)).await
    }

    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>> {
        self.guard("schedules", self.inner.schedules(after, limit)).await
    }
}
