use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    JobServer,
    claims::{ClaimKey, Claims},
    demand::Demand,
    health::HealthBoard,
    recurring::Stalled,
    running::Running,
};
use crate::{
    client::Client,
    filter::Filters,
    job::{DataMap, QueueName, Registry, RetryPolicy},
    storage::{ClaimedJob, Finish, Intervals, ServerRecord, Storage},
};

/// What the parts of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: Client,
    /// The application's.
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) registry: Registry,
    pub(super) data: Arc<DataMap>,
    pub(super) record: ServerRecord,
    /// Those of the record.
    pub(super) queues: Arc<[QueueName]>,
    pub(super) settings: Settings,
    pub(super) demand: Demand,
    pub(super) claims: Claims,
    pub(super) running: Running,
    /// One permit: jobs that fail if they are lost once more run one at a time.
    pub(super) last_chance: Semaphore,
    pub(super) health: HealthBoard,
    pub(super) stop: Stop,
    /// Outlives an error of the process that follows schedules. It is never locked while something is awaited.
    stalled: Mutex<Stalled>,
    /// The jobs that are claimed and not begun.
    waiting: async_channel::Receiver<ClaimedJob>,
}

/// How a server behaves.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) shutdown_timeout: Duration,
    pub(super) cancel_grace: Duration,
    pub(super) heartbeat_interval: Duration,
    pub(super) server_timeout: Duration,
    pub(super) max_lost: u32,
    pub(super) max_result: usize,
    pub(super) unknown_jobs: RetryPolicy,
    /// Instead of those of the storage.
    pub(super) queue_poll_interval: Option<Duration>,
    pub(super) expiration_check_interval: Option<Duration>,
    pub(super) counters_aggregation_interval: Option<Duration>,
    pub(super) schedule_poll_interval: Duration,
    pub(super) follow_schedules: bool,
    pub(super) remove_orphaned_schedules: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shutdown_timeout: Duration::from_secs(15),
            cancel_grace: Duration::from_secs(5),
            heartbeat_interval: Duration::from_secs(3),
            server_timeout: Duration::from_secs(15),
            max_lost: 3,
            max_result: JobServer::DEFAULT_MAX_RESULT,
            unknown_jobs: RetryPolicy::NONE,
            queue_poll_interval: None,
            expiration_check_interval: None,
            counters_aggregation_interval: None,
            schedule_poll_interval: Duration::from_secs(15),
            follow_schedules: true,
            remove_orphaned_schedules: false,
        }
    }
}

/// The steps of a server's end.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// No more jobs are claimed.
    pub(super) claiming: CancellationToken,
    /// The background processes end.
    pub(super) everything: CancellationToken,
}

/// The ways of jobs through a server: claimed → worker → outcome.
pub(super) struct Inlets {
    pub(super) claimed: async_channel::Sender<ClaimedJob>,
    pub(super) to_run: async_channel::Receiver<ClaimedJob>,
    pub(super) ended: mpsc::Sender<Finish>,
    pub(super) outcomes: mpsc::Receiver<Finish>,
}

impl Shared {
    pub(super) fn new(
        client: Client,
        registry: Registry,
        data: DataMap,
        record: ServerRecord,
        settings: Settings,
    ) -> (Arc<Self>, Inlets) {
        let (claimed, to_run) = async_channel::unbounded();
        let (ended, outcomes) = mpsc::channel(4_096);
        let demand = Demand::new(record.workers);
        let shared = Self {
            client,
            runtime: tokio::runtime::Handle::current(),
            registry,
            data: Arc::new(data),
            queues: record.queues.clone().into(),
            record,
            settings,
            demand,
            claims: Claims::default(),
            running: Running::default(),
            last_chance: Semaphore::new(1),
            health: HealthBoard::default(),
            stop: Stop::default(),
            stalled: Mutex::default(),
            waiting: to_run.clone(),
        };
        (Arc::new(shared), Inlets { claimed, to_run, ended, outcomes })
    }

    /// Takes the jobs that are claimed and not begun from the workers, who then end.
    pub(super) fn take_waiting(&self) -> Vec<ClaimKey> {
        self.waiting.close();
        std::iter::from_fn(|| self.waiting.try_recv().ok()).map(|job| (job.id, job.token)).collect()
    }

    /// The schedules of which the server can make no jobs.
    pub(super) fn stalled(&self) -> MutexGuard<'_, Stalled> {
        self.stalled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The filters of all jobs that this server creates, runs and moves.
    pub(super) fn filters(&self) -> &Filters {
        self.client.filters()
    }

    pub(super) fn storage(&self) -> &Arc<dyn Storage> {
        self.client.storage()
    }

    /// How often to look at the storage when nothing tells the server to.
    pub(super) fn intervals(&self) -> Intervals {
        let mut intervals = self.storage().intervals();
        let set = |interval: &mut Duration, own: Option<Duration>| *interval = own.unwrap_or(*interval);
        set(&mut intervals.queue_poll, self.settings.queue_poll_interval);
        set(&mut intervals.expiration_check, self.settings.expiration_check_interval);
        set(&mut intervals.counters_aggregation, self.settings.counters_aggregation_interval);
        intervals
    }
}
