use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use jobs_runtime::{
    clock::{Clock, Timestamp},
    job::{JobId, Parameters},
    schedule::ScheduleId,
    state::{State, StateName},
    storage::{
        Change, Changed, Claim, ClaimToken, ClaimedJob, Counts, DueCursor, DueSchedules, Finish, JobDetails, JobFilter,
        JobPage, JobTransaction, LockRequest, Monitor, NewJob, OngoingTransaction, PageRequest, Period, Promotion,
        QueueStatus, Recorded, Rescue, Rescued, ScheduleWrite, ScheduleWritten, ServerId, ServerRecord, ServerStatus,
        Signals, Statistics, Storage, StorageError, StorageResult, StoredSchedule,
    },
};

use crate::Random;

/// A real storage on a bad line: a share of its calls fail, half of them after they were carried out.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn Storage>,
    percent: AtomicU64,
    random: Random,
    down: AtomicBool,
    lost_replies: AtomicU64,
    lost_commits: AtomicU64,
    hides_states: AtomicBool,
    longest_result: AtomicU64,
    faster: Mutex<Vec<ScheduleWrite>>,
    claims: AtomicU64,
}

impl Faulty {
    /// Wraps a storage; at first nothing fails.
    pub fn new(inner: Arc<dyn Storage>, seed: u64) -> Arc<Self> {
        let (percent, random, down) = (AtomicU64::new(0), Random::new(seed), AtomicBool::new(false));
        let (lost_replies, lost_commits) = (AtomicU64::new(0), AtomicU64::new(0));
        let (hides_states, faster, claims) = (AtomicBool::new(false), Mutex::default(), AtomicU64::new(0));
        let longest_result = AtomicU64::new(u64::MAX);
        Arc::new(Self {
            inner,
            percent,
            random,
            down,
            lost_replies,
            lost_commits,
            hides_states,
            longest_result,
            faster,
            claims,
        })
    }

    /// Lets this share of the calls fail.
    pub fn fail_percent(&self, percent: u64) {
        self.percent.store(percent, Ordering::Relaxed);
    }

    /// Lets all calls fail before they are carried out, or none.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// Carries out the next `count` calls, but loses the replies.
    pub fn lose_replies(&self, count: u64) {
        self.lost_replies.store(count, Ordering::Relaxed);
    }

    /// Commits the next `count` transactions of handlers, but loses the replies.
    pub fn lose_commits(&self, count: u64) {
        self.lost_commits.store(count, Ordering::Relaxed);
    }

    /// Lets nobody know the states of jobs, or everyone.
    pub fn hide_states(&self, hide: bool) {
        self.hides_states.store(hide, Ordering::Relaxed);
    }

    /// Refuses all outcomes of a call if one of them has a longer result.
    pub fn refuse_results_over(&self, bytes: u64) {
        self.longest_result.store(bytes, Ordering::Relaxed);
    }

    /// Lets someone else be faster with these changes when schedules are to be written next.
    pub fn be_faster_with(&self, writes: Vec<ScheduleWrite>) {
        *self.faster.lock().expect("nobody panics with it") = writes;
    }

    /// How often jobs were claimed.
    pub fn claims(&self) -> u64 {
        self.claims.load(Ordering::Relaxed)
    }

    fn loses_this_reply(&self) -> bool {
        is_one_of(&self.lost_replies)
    }

    fn fault() -> StorageError {
        StorageError::Failed { storage: "faulty".to_owned(), source: "the line is bad".into() }
    }

    async fn on_a_bad_line<T>(&self, call: impl Future<Output = StorageResult<T>> + Send) -> StorageResult<T> {
        let down = self.down.load(Ordering::Relaxed);
        let fails = self.random.below(100) < self.percent.load(Ordering::Relaxed);
        if down || (fails && self.random.below(2) == 0) {
            return Err(Self::fault());
        }
        let answer = call.await;
        if fails || self.loses_this_reply() { Err(Self::fault()) } else { answer }
    }
}

/// Whether there were some left; then there is one less.
fn is_one_of(count: &AtomicU64) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_ok()
}

#[async_trait]
impl Storage for Faulty {
    fn clock(&self) -> &Clock {
        self.inner.clock()
    }

    fn signals(&self) -> &Signals {
        self.inner.signals()
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.on_a_bad_line(self.inner.enqueue(jobs)).await
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        self.on_a_bad_line(self.inner.claim(claim)).await
    }

    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()> {
        self.on_a_bad_line(self.inner.begin(claims)).await
    }

    async fn set_parameters(&self, job: JobId, token: ClaimToken, parameters: Parameters) -> StorageResult<Recorded> {
        self.on_a_bad_line(self.inner.set_parameters(job, token, parameters)).await
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        let longest = self.longest_result.load(Ordering::Relaxed);
        let is_too_long = |finish: &Finish| match &finish.transition.to {
            State::Succeeded(succeeded) => succeeded.result.get().len() as u64 > longest,
            _ => false,
        };
        if batch.iter().any(is_too_long) {
            let (storage, reason) = ("faulty".to_owned(), format!("a result has more than {longest} bytes"));
            return Err(StorageError::Refused { storage, reason, source: None });
        }
        self.on_a_bad_line(self.inner.finish(batch)).await
    }

    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>> {
        self.on_a_bad_line(self.inner.change(batch)).await
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        self.on_a_bad_line(self.inner.promote(limit)).await
    }

    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        self.on_a_bad_line(self.inner.due_schedules(after, limit)).await
    }

    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>> {
        let faster = std::mem::take(&mut *self.faster.lock().expect("nobody panics with it"));
        self.inner.write_schedules(faster).await?;
        self.on_a_bad_line(self.inner.write_schedules(batch)).await
    }

    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.on_a_bad_line(self.inner.heartbeat(server)).await
    }

    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>> {
        self.on_a_bad_line(self.inner.rescue(rescue)).await
    }

    async fn lock(&self, request: LockRequest) -> StorageResult<bool> {
        self.on_a_bad_line(self.inner.lock(request)).await
    }

    async fn unlock(&self, name: &str, owner: &str) -> StorageResult<bool> {
        self.on_a_bad_line(self.inner.unlock(name, owner)).await
    }

    async fn retire(&self, server: &ServerId) -> StorageResult<()> {
        self.on_a_bad_line(self.inner.retire(server)).await
    }

    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        self.on_a_bad_line(self.inner.revoked(claims)).await
    }

    async fn expire(&self, limit: usize) -> StorageResult<usize> {
        self.on_a_bad_line(self.inner.expire(limit)).await
    }

    fn database(&self) -> Option<&'static str> {
        self.inner.database()
    }

    async fn enqueue_in(&self, transaction: OngoingTransaction<'_>, jobs: Vec<NewJob>) -> StorageResult<()> {
        self.on_a_bad_line(self.inner.enqueue_in(transaction, jobs)).await
    }

    async fn begin_transaction(&self) -> StorageResult<JobTransaction> {
        self.on_a_bad_line(self.inner.begin_transaction()).await
    }

    async fn finish_in(&self, transaction: JobTransaction, finish: Finish) -> StorageResult<Recorded> {
        let recorded = self.on_a_bad_line(self.inner.finish_in(transaction, finish)).await;
        if is_one_of(&self.lost_commits) { Err(Self::fault()) } else { recorded }
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Reading is seldom what is tested, so it works unless a test says otherwise.
#[async_trait]
impl Monitor for Faulty {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        self.inner.job(id).await
    }

    async fn states(&self, ids: &[JobId]) -> StorageResult<Vec<(JobId, StateName)>> {
        if self.hides_states.load(Ordering::Relaxed) { Err(Self::fault()) } else { self.inner.states(ids).await }
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        self.inner.jobs(filter, page).await
    }

    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        self.inner.schedule(id).await
    }

    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>> {
        self.inner.schedules(after, limit).await
    }

    async fn counts(&self) -> StorageResult<Counts> {
        self.inner.counts().await
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        self.inner.queues().await
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        self.inner.servers().await
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        self.inner.statistics(period, from, until).await
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        self.inner.totals().await
    }
}
