use std::{fmt::Write, sync::Arc, time::Duration};

use serde_json::json;

use crate::{
    clock::{Clock, before},
    job::{Failure, Invocation, JobId, JobName, QueueName},
    state::{Attempts, Deleted, Enqueued, Failed, Scheduled, StateName, Succeeded, Transition},
    storage::{
        Change, Changed, Claim, ClaimedJob, Finish, Initial, JobDetails, NewJob, Recorded, Rescue, Rescued, ServerId,
        ServerRecord, Storage,
    },
    testing::TestClock,
};

/// A backend under test.
pub trait Backend: Sync {
    /// Opens a fresh, empty storage with this clock.
    fn open(&self, clock: Clock) -> impl Future<Output = Handles>;
}

/// Two handles to one storage, as two processes would have them; for a storage that lives in one process, twice
/// the same.
pub struct Handles {
    /// The first handle.
    pub storage: Arc<dyn Storage>,
    /// The second handle.
    pub other: Arc<dyn Storage>,
    /// What has to live as long as they do, such as a temporary folder.
    pub keep: Box<dyn std::any::Any>,
}

/// Opens a storage of the backend and runs one case with it.
pub fn run<B: Backend, F: AsyncFnOnce(Fixture)>(backend: &B, case: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let case = async {
        let clock = TestClock::new();
        let handles = backend.open(clock.clock()).await;
        let (storage, other, _keep) = (handles.storage, handles.other, handles.keep);
        case(Fixture { storage: Arc::clone(&storage), other: Arc::clone(&other), clock }).await;
        other.close().await;
        storage.close().await;
    };
    // A case that hangs is a case that fails; without waiting for what it left behind.
    let ended = runtime.block_on(async { tokio::time::timeout(LONGEST_CASE, case).await });
    runtime.shutdown_background();
    ended.expect("the case ends in time");
}

/// What a case works with, and shorthands for what most cases do.
///
/// All of them panic when the storage returns an error: that is a failed case.
pub struct Fixture {
    /// The storage.
    pub storage: Arc<dyn Storage>,
    /// A second handle to it.
    pub other: Arc<dyn Storage>,
    /// Its clock.
    pub clock: TestClock,
}

/// Some hundred times as long as any case takes.
const LONGEST_CASE: Duration = Duration::from_secs(120);

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("a queue name")
}

pub(super) fn server(name: &str) -> ServerId {
    ServerId::new(name)
}

impl Fixture {
    /// A job that is not stored yet.
    pub(super) fn job(&self, method: &'static str) -> NewJob {
        let now = self.clock.now();
        let invocation = Invocation::new(JobName::new("suite", method), &json!({ "n": 1 })).expect("JSON");
        NewJob::new(JobId::generate(now), invocation, now)
    }

    pub(super) async fn store(&self, job: NewJob) -> JobId {
        let id = job.id;
        self.storage.enqueue(vec![job]).await.expect("stored");
        id
    }

    /// Stores an enqueued job.
    pub(super) async fn enqueue(&self, method: &'static str) -> JobId {
        self.store(self.job(method)).await
    }

    /// Stores `count` enqueued jobs.
    pub(super) async fn enqueue_many(&self, count: usize) -> Vec<JobId> {
        let jobs: Vec<NewJob> = (0..count).map(|_| self.job("many")).collect();
        let ids = jobs.iter().map(|job| job.id).collect();
        self.storage.enqueue(jobs).await.expect("stored");
        ids
    }

    /// Stores a job that is due after `delay`.
    pub(super) async fn schedule(&self, method: &'static str, delay: Duration) -> JobId {
        let at = self.clock.now() + delay;
        self.store(NewJob { initial: Initial::Scheduled(at), ..self.job(method) }).await
    }

    /// Stores a job that awaits another.
    pub(super) async fn continue_with(&self, parent: JobId, method: &'static str) -> JobId {
        self.store(NewJob { initial: Initial::Awaiting(parent), ..self.job(method) }).await
    }

    pub(super) async fn claim_from(&self, queues: &[&str], limit: usize) -> Vec<ClaimedJob> {
        self.claim_as("worker", queues, limit).await
    }

    pub(super) async fn claim_as(&self, name: &str, queues: &[&str], limit: usize) -> Vec<ClaimedJob> {
        let queues = queues.iter().map(|name| queue(name)).collect();
        self.storage.claim(Claim { server: server(name), queues, limit }).await.expect("claimed")
    }

    /// Claims one job from the default queue, which must have one.
    pub(super) async fn claim(&self) -> ClaimedJob {
        self.claim_from(&["default"], 1).await.pop().expect("a job to claim")
    }

    pub(super) async fn finish(&self, job: &ClaimedJob, transition: Transition) -> Recorded {
        let finish = Finish { job: job.id, token: job.token, transition };
        self.storage.finish(vec![finish]).await.expect("finished")[0]
    }

    pub(super) fn success(&self) -> Transition {
        let result = serde_json::value::to_raw_value(&json!({ "sum": 42 })).expect("JSON");
        Transition::new(Succeeded { result, duration: Duration::from_micros(1_500) }, self.clock.now())
    }

    pub(super) fn failure(&self) -> Transition {
        let failure = Failure::new("suite::Error", "no route");
        Transition::new(Failed { failure }, self.clock.now()).attempts(Attempts::Spend)
    }

    pub(super) fn retry(&self, delay: Duration) -> Transition {
        let failed = self.failure();
        let at = self.clock.now();
        let replaced = failed.history();
        let to = Scheduled { at: at + delay };
        Transition { replaced, ..Transition::new(to, at).because("retry attempt 1 of 10").attempts(Attempts::Spend) }
    }

    /// Stores, claims and finishes a job.
    pub(super) async fn succeed_one(&self, method: &'static str) -> JobId {
        let id = self.enqueue(method).await;
        let job = self.claim().await;
        assert_eq!(self.finish(&job, self.success()).await, Recorded::Stored);
        id
    }

    /// Stores and claims a job, which fails.
    pub(super) async fn fail_one(&self, method: &'static str) -> JobId {
        let id = self.enqueue(method).await;
        let job = self.claim().await;
        assert_eq!(self.finish(&job, self.failure()).await, Recorded::Stored);
        id
    }

    async fn change(&self, id: JobId, transition: Transition) -> Changed {
        let from = transition.to.name().previous();
        self.storage.change(vec![Change { job: id, from, transition }]).await.expect("changed")[0]
    }

    pub(super) async fn delete(&self, id: JobId) -> Changed {
        self.change(id, Transition::new(Deleted {}, self.clock.now()).because("by hand")).await
    }

    pub(super) async fn requeue(&self, id: JobId) -> Changed {
        let transition = Transition::new(Enqueued {}, self.clock.now()).because("by hand");
        self.change(id, transition.attempts(Attempts::Reset)).await
    }

    pub(super) async fn reschedule(&self, id: JobId, delay: Duration) -> Changed {
        let transition = Transition::new(Scheduled { at: self.clock.now() + delay }, self.clock.now());
        self.change(id, transition.attempts(Attempts::Reset)).await
    }

    pub(super) async fn beat(&self, name: &str) {
        self.storage.heartbeat(&self.record(name)).await.expect("beaten");
    }

    pub(super) fn record(&self, name: &str) -> ServerRecord {
        ServerRecord { id: server(name), started_at: self.clock.now(), queues: vec![queue("default")], workers: 3 }
    }

    /// Rescues with a timeout of 15 s and a cap of three lost runs.
    pub(super) async fn rescue(&self) -> Vec<Rescued> {
        let rescue = Rescue { silent_since: before(self.clock.now(), SECOND * 15), max_lost: 3, limit: 100 };
        self.storage.rescue(rescue).await.expect("rescued")
    }

    pub(super) async fn details(&self, id: JobId) -> JobDetails {
        self.storage.job(id).await.expect("read").expect("a job")
    }

    pub(super) async fn state(&self, id: JobId) -> StateName {
        self.details(id).await.job.state
    }

    /// The history of a job, a line each.
    pub(super) async fn history(&self, id: JobId) -> String {
        self.details(id).await.history.iter().fold(String::new(), |mut text, entry| {
            let reason = entry.reason.as_deref().map_or_else(String::new, |reason| format!(" ({reason})"));
            writeln!(text, "{}{reason} {}", entry.state, entry.data).expect("text");
            text
        })
    }
}
