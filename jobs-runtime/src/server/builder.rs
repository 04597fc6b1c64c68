use std::{sync::Arc, time::Duration};

use super::{
    BackgroundContext, BackgroundResult, JobServer, StartError,
    background::{self, Background},
    check::{self, Wishes},
    shared::{Settings, Shared},
    system::System,
    worker,
};
use crate::{
    client::Client,
    filter::{Filter, Filters, check_declared},
    job::{Data, DataMap, HandlerDescriptor, Job, Registry, RetryPolicy, install_hook},
    schedule::RecurringDescriptor,
    storage::{RunStorage, ServerId, ServerRecord, Storage},
};

/// What a server is to be; [`start`](Self::start) checks all of it and starts it.
#[must_use = "nothing runs before `start`"]
pub struct JobServerBuilder {
    storage: Arc<dyn Storage>,
    data: DataMap,
    wishes: Wishes,
    discover: bool,
    registered: Vec<HandlerDescriptor>,
    filters: Filters,
    backgrounds: Vec<Background>,
    settings: Settings,
}

impl JobServerBuilder {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            data: DataMap::default(),
            wishes: Wishes::default(),
            discover: true,
            registered: Vec::new(),
            filters: Filters::default(),
            backgrounds: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// Shares `value` with the handlers that take a `Data<T>`; of each type there is one.
    pub fn data<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_data(Data::new(value))
    }

    /// The same for a value that the program shares already.
    pub fn shared_data<T: Send + Sync + 'static>(mut self, value: impl Into<Data<T>>) -> Self {
        self.data.insert(value.into());
        self
    }

    /// The queues to take jobs from, the most important first: a queue is only looked at when those before it
    /// are empty.
    ///
    /// Without this the server takes from `default` and from the queue of every handler it has, `default` first
    /// and the others by name.
    pub fn queues<Q: AsRef<str>>(mut self, queues: impl IntoIterator<Item = Q>) -> Self {
        self.wishes.queues = Some(queues.into_iter().map(|queue| queue.as_ref().to_owned()).collect());
        self
    }

    /// Queues of this program's handlers that other servers take from, so that their absence from
    /// [`queues`](Self::queues) is not an error.
    pub fn queues_elsewhere<Q: AsRef<str>>(mut self, queues: impl IntoIterator<Item = Q>) -> Self {
        self.wishes.elsewhere.extend(queues.into_iter().map(|queue| queue.as_ref().to_owned()));
        self
    }

    /// How many jobs run at once; by default five times the number of processors, at most 20, as in Hangfire.
    pub fn workers(mut self, workers: usize) -> Self {
        self.wishes.workers = workers;
        self
    }

    /// Adds the handler of `J`; for jobs that are written without `#[job]`.
    pub fn register<J: Job>(mut self) -> Self {
        self.registered.push(HandlerDescriptor::of::<J>());
        self
    }

    /// Whether the server has all `#[job]` handlers that are linked into the program; `true` by default. With
    /// `false` it has those that were [registered](Self::register) only.
    pub fn discover(mut self, discover: bool) -> Self {
        self.discover = discover;
        self
    }

    /// The server's id; by default made of host, process and chance. It must differ from that of every other
    /// server of the storage, also of those that run later.
    pub fn id(mut self, id: ServerId) -> Self {
        self.wishes.id = Some(id);
        self
    }

    /// How long [`run_until_signal`](JobServer::run_until_signal) waits for running jobs before it cancels them;
    /// 15 s by default.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.shutdown_timeout = timeout;
        self
    }

    /// How long a cancelled job may go on before it is given back in a shutdown; 5 s by default.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.settings.cancel_grace = grace;
        self
    }

    /// How often the server says that it lives; every 3 s by default.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.settings.heartbeat_interval = interval;
        self
    }

    /// After what silence another server counts as dead and its jobs are taken from it; 15 s by default. It must
    /// be more than twice the heartbeat interval, and the same for all servers of a storage.
    pub fn server_timeout(mut self, timeout: Duration) -> Self {
        self.settings.server_timeout = timeout;
        self
    }

    /// How many runs of a job may be lost with their servers: the last of them makes the job Failed, so that a
    /// job which kills its servers doesn't do so for ever. 3 by default.
    ///
    /// Jobs that have only one left run one at a time, so that one of them which kills its server doesn't take the
    /// others with it.
    pub fn max_lost_runs(mut self, runs: u32) -> Self {
        self.settings.max_lost = runs;
        self
    }

    /// Runs a process of the application's own beside the jobs, for as long as the server runs: a loop that looks after
    /// something. It runs on the application's runtime.
    ///
    /// An error is logged, the first of several in a row, and seen in the server's [health](super::Health); after an error
    /// or a panic the process is started again, after a pause that grows up to 5 s. One that returns `Ok` has ended. A
    /// shutdown waits for it as it waits for running jobs, and then drops it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jobs_runtime::{prelude::*, server::BackgroundContext};
    ///
    /// #[job]
    /// async fn resize(file: String) {}
    ///
    /// # fn example(builder: jobs_runtime::server::JobServerBuilder) -> jobs_runtime::server::JobServerBuilder {
    /// builder.background("look-for-pictures", |cx: BackgroundContext| async move {
    ///     while cx.wait(Duration::from_secs(10)).await {
    ///         for file in std::fs::read_dir("pictures")? {
    ///             Resize::enqueue(file?.path().display().to_string()).await?;
    ///         }
    ///     }
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn background<F>(
        mut self,
        name: &'static str,
        process: impl Fn(BackgroundContext) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = BackgroundResult> + Send + 'static,
    {
        self.backgrounds.push(Background::new(name, process));
        self
    }

    /// Asks a [filter](crate::filter) about all jobs that this server creates, runs and moves; also about those that
    /// its handlers enqueue.
    pub fn filter(mut self, filter: impl Filter) -> Self {
        self.filters.add(filter, None);
        self
    }

    /// The same for a filter of one job only.
    pub fn filter_for<J: Job>(mut self, filter: impl Filter) -> Self {
        self.filters.add(filter, Some(J::NAME));
        self
    }

    /// How long a result may be, in bytes of JSON; [1 MiB](JobServer::DEFAULT_MAX_RESULT) by default.
    ///
    /// A job that returns more becomes Failed with the error [`ResultTooLarge`](crate::job::ResultTooLarge), and is not
    /// retried: its handler has done its work. What it wrote in a [`JobTx`](crate::storage::JobTx) is rolled back. The
    /// storage may take less, such as MySQL with a small `max_allowed_packet`; then the job fails with what the storage
    /// says.
    pub fn max_result(mut self, bytes: usize) -> Self {
        self.settings.max_result = bytes;
        self
    }

    /// How jobs are retried whose name no handler of this server answers to. By default they are not: such a job
    /// fails at once, with the names that are known.
    ///
    /// Where versions of a program run side by side, as in a rolling deployment, old servers meet jobs that only new
    /// ones know; a policy such as [`RetryPolicy::HANGFIRE`] gives them another chance.
    pub fn unknown_jobs(mut self, retry: RetryPolicy) -> Self {
        self.settings.unknown_jobs = retry;
        self
    }

    /// How often to look for work when nothing signals that there is some; instead of what the
    /// [storage](crate::storage::Storage::intervals) says.
    pub fn queue_poll_interval(mut self, interval: Duration) -> Self {
        self.settings.queue_poll_interval = Some(interval);
        self
    }

    /// How often expired jobs are removed; instead of what the [storage](crate::storage::Storage::intervals) says.
    pub fn expiration_check_interval(mut self, interval: Duration) -> Self {
        self.settings.expiration_check_interval = Some(interval);
        self
    }

    /// How often the counters of hours that are over are summed up; instead of what the
    /// [storage](crate::storage::Storage::intervals) says.
    pub fn counters_aggregation_interval(mut self, interval: Duration) -> Self {
        self.settings.counters_aggregation_interval = Some(interval);
        self
    }

    /// How often to look for due schedules and delayed jobs when nothing signals that there are new ones; every 15 s by
    /// default, as in Hangfire. Those that are known are acted upon when their time comes, whatever this says.
    ///
    /// [`Misfire::Ignorable`](crate::schedule::Misfire::Ignorable) makes up for what was missed within twice this time.
    pub fn schedule_poll_interval(mut self, interval: Duration) -> Self {
        self.settings.schedule_poll_interval = interval;
        self
    }

    /// Whether the server writes the schedules of its program to the storage, and makes jobs of those that are due;
    /// `true` by default. Without a server that does, nothing recurs.
    ///
    /// With `false` it takes from the queues of its schedules all the same, and checks them when it starts.
    pub fn follow_schedules(mut self, follow: bool) -> Self {
        self.settings.follow_schedules = follow;
        self
    }

    /// Whether to remove schedules that stood in the source of one of the program's packages and stand there no longer;
    /// by default they are [marked](crate::client::Schedule::is_orphaned), and go on.
    ///
    /// Only for packages of which *one* program has all schedules. Several programs of one package that share a storage,
    /// each with schedules that the others don't link, would remove each other's.
    ///
    /// While versions of a program run side by side, a server of the old one that starts adds them again.
    pub fn remove_orphaned_schedules(mut self, remove: bool) -> Self {
        self.settings.remove_orphaned_schedules = remove;
        self
    }

    /// Checks everything that can be checked, and starts the server.
    ///
    /// # Errors
    ///
    /// [`StartError::Problems`] with *all* that is wrong: two jobs of one name, a `Data<T>` that is missing, a
    /// queue that is not served, a `JobTx` of another database, no workers; [`StartError::Storage`] if the storage can't be reached.
    pub async fn start(mut self) -> Result<JobServer, StartError> {
        let discovered = inventory::iter::<HandlerDescriptor>.into_iter().copied().filter(|_| self.discover);
        let (registry, duplicates) = Registry::new(discovered.chain(self.registered));
        let recurring = inventory::iter::<RecurringDescriptor>.into_iter().copied();
        let (wishes, settings, storage) = (&self.wishes, &self.settings, &*self.storage);
        let mut problems: Vec<String> = duplicates.iter().map(ToString::to_string).collect();
        background::check(&self.backgrounds, &mut problems);
        problems.extend(check_declared().err());
        let checked = check::check(wishes, settings, &registry, recurring, &self.data, storage, problems)?;
        install_hook();
        self.data.insert(Data::new(RunStorage(Arc::clone(&self.storage))));
        if registry.handlers().next().is_none() {
            tracing::warn!("the server has no handlers: every job that it claims will fail");
        }
        let record = ServerRecord {
            id: self.wishes.id.unwrap_or_else(ServerId::generate),
            started_at: self.storage.clock().now(),
            queues: checked.queues,
            workers: self.wishes.workers,
        };
        // Jobs of a server that is not known are anyone's, so it is made known before it claims any.
        self.storage.heartbeat(&record).await?;
        let client = Client::new(Arc::clone(&self.storage)).with_filters(&self.filters);
        if self.settings.follow_schedules {
            checked.declared.store(&client, &registry, self.settings.remove_orphaned_schedules).await?;
        }
        let (shared, inlets) = Shared::new(client, registry, self.data, record, self.settings);
        let workers = worker::spawn(&shared, &inlets);
        let system = System::start(&shared, inlets).map_err(StartError::Thread)?;
        tracing::info!(server = %shared.record.id, queues = ?shared.record.queues, workers = shared.record.workers,
            storage = %self.storage.describe(), "job server started");
        let backgrounds = self.backgrounds.into_iter().map(|process| process.start(&shared)).collect();
        Ok(JobServer { shared, system, workers, backgrounds })
    }
}

impl std::fmt::Debug for JobServerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobServerBuilder").field("storage", &self.storage).finish_non_exhaustive()
    }
}
