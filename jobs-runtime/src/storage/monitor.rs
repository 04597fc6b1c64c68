use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{ServerRecord, StorageResult, StoredSchedule};
use crate::{
    clock::Timestamp,
    job::{JobId, JobName, Parameters, QueueName, Recurrence, ScheduleId},
    state::{HistoryEntry, StateName},
};

/// The read side of a storage: everything that dashboards, commands and tests look at.
///
/// No call reads more than its page or cap, however many jobs are stored.
#[async_trait]
pub trait Monitor: Send + Sync {
    /// One job with its history, or `None` if there is none of that id (any more).
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>>;

    /// The states of some jobs, in any order; ids of which there is no job (any more) are left out.
    ///
    /// It reads nothing else of them, so it is what to ask when many are looked at again and again.
    async fn states(&self, ids: &[JobId]) -> StorageResult<Vec<(JobId, StateName)>>;

    /// One page of the jobs that match `filter`.
    ///
    /// Enqueued jobs come in the order in which they will be claimed, scheduled ones by their time, processing
    /// ones longest running first, all others newest first.
    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage>;

    /// How many jobs are in each state, counted up to a cap.
    async fn counts(&self) -> StorageResult<Counts>;

    /// The queues that have jobs waiting, by name.
    async fn queues(&self) -> StorageResult<Vec<QueueStatus>>;

    /// The servers that are running, by id.
    async fn servers(&self) -> StorageResult<Vec<ServerStatus>>;

    /// What was finished per hour or day, in `from..until`, oldest first; spans without anything are left out.
    ///
    /// It is read from counters that are kept with each outcome, never from the jobs.
    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>>;

    /// What was finished in all, since the tables were made.
    async fn totals(&self) -> StorageResult<Statistics>;

    /// One schedule, or `None` if there is none of that id.
    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>>;

    /// Up to `limit` schedules, by the bytes of their ids; those after one of them, or the first.
    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>>;
}

/// Which jobs to list; an empty filter lists all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JobFilter {
    /// Only those in this state.
    pub state: Option<StateName>,
    /// Only those of this queue.
    pub queue: Option<QueueName>,
    /// Only those of this name.
    pub name: Option<JobName>,
    /// Only those that this schedule made.
    pub schedule: Option<ScheduleId>,
    /// Only those created at this time or later.
    pub created_from: Option<Timestamp>,
    /// Only those created before this time.
    pub created_until: Option<Timestamp>,
}

impl JobFilter {
    /// All jobs.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The jobs in `state`.
    #[must_use]
    pub fn state(state: StateName) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    /// Only those of `queue`.
    #[must_use]
    pub fn queue(mut self, queue: QueueName) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Only those named `name`.
    #[must_use]
    pub fn name(mut self, name: JobName) -> Self {
        self.name = Some(name);
        self
    }

    /// Only those that the schedule made.
    #[must_use]
    pub fn schedule(mut self, schedule: ScheduleId) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Only those created in `from..until`.
    #[must_use]
    pub fn created(mut self, from: Timestamp, until: Timestamp) -> Self {
        (self.created_from, self.created_until) = (Some(from), Some(until));
        self
    }

    pub(crate) fn matches(&self, job: &JobSummary) -> bool {
        self.state.is_none_or(|state| state == job.state)
            && self.queue.as_ref().is_none_or(|queue| *queue == job.queue)
            && self.name.as_ref().is_none_or(|name| *name == job.name)
            && self.schedule.as_ref().is_none_or(|id| job.recurrence.as_ref().is_some_and(|made| made.schedule == *id))
            && self.created_from.is_none_or(|from| from <= job.created_at)
            && self.created_until.is_none_or(|until| job.created_at < until)
    }
}

/// Which page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// How many jobs a page has at most, from 1 to [`PageRequest::MAX_LIMIT`].
    pub limit: usize,
    /// Where the page begins: the `next` of the page before it, or `None` for the first.
    pub after: Option<String>,
}

impl PageRequest {
    /// The most jobs that one page may have.
    pub const MAX_LIMIT: usize = 1_000;

    /// The first page, of `limit` jobs.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    /// The page that begins where another ended.
    #[must_use]
    pub fn after(limit: usize, cursor: impl Into<String>) -> Self {
        Self { limit, after: Some(cursor.into()) }
    }

    /// How many jobs the page may have: at least one, at most [`MAX_LIMIT`](Self::MAX_LIMIT).
    #[must_use]
    pub fn bounded_limit(&self) -> usize {
        self.limit.clamp(1, Self::MAX_LIMIT)
    }

    /// Reads the cursor as a backend's own key, for the list of `state`, or of all jobs; `None` for the first page.
    ///
    /// # Errors
    ///
    /// [`InvalidCursor`] if it is not such a key, or that of another list.
    pub fn cursor<T: DeserializeOwned>(&self, state: Option<StateName>) -> Result<Option<T>, InvalidCursor> {
        let Some(text) = self.after.as_deref() else { return Ok(None) };
        match serde_json::from_str::<(Option<StateName>, T)>(text) {
            Ok((list, key)) if list == state => Ok(Some(key)),
            _ => Err(InvalidCursor { cursor: text.to_owned() }),
        }
    }

    /// The error for a cursor that could be read but belongs to another list.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn foreign_cursor(&self) -> InvalidCursor {
        InvalidCursor { cursor: self.after.clone().unwrap_or_default() }
    }
}

/// Writes a backend's own key as a cursor of the list of `state`, or of all jobs.
#[must_use]
pub fn cursor<T: Serialize>(state: Option<StateName>, key: &T) -> String {
    // A key that is no JSON, which is a mistake of the backend, makes a cursor that is refused.
    serde_json::to_string(&(state, key)).unwrap_or_else(|error| error.to_string())
}

/// The text is not a cursor that the same list gave.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{cursor}` is not a cursor of this list; use the `next` of the page before, or none")]
pub struct InvalidCursor {
    cursor: String,
}

/// One page of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<JobSummary>,
    /// Where the next page begins, or `None` if this is the last.
    pub next: Option<String>,
}

/// One job, as a line of a list.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct JobSummary {
    /// Its id.
    pub id: JobId,
    /// What it calls.
    pub name: JobName,
    /// The arguments as they are stored: JSON.
    pub arguments: String,
    /// Its queue.
    pub queue: QueueName,
    /// Its priority within the queue.
    pub priority: i16,
    /// The state it is in.
    pub state: StateName,
    /// Since when.
    pub state_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many runs were begun, the current one included.
    pub attempts: u32,
    /// Which schedule made it, if one did.
    pub recurrence: Option<Recurrence>,
}

impl JobSummary {
    /// A job that was just created, enqueued into the queue `default` with priority 0; for a backend that sets the
    /// other fields.
    pub fn new(id: JobId, name: JobName, arguments: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id,
            name,
            arguments: arguments.into(),
            queue: QueueName::DEFAULT,
            priority: 0,
            state: StateName::Enqueued,
            state_at: created_at,
            created_at,
            attempts: 0,
            recurrence: None,
        }
    }
}

/// One job with all that is known of it.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct JobDetails {
    /// The job.
    pub job: JobSummary,
    /// Retries chosen for this job alone.
    pub max_attempts: Option<u32>,
    /// How many of its runs were lost with their servers.
    pub lost: u32,
    /// When it will be removed, if it will.
    pub expires_at: Option<Timestamp>,
    /// What it returned, as it is stored: JSON; only if it is Succeeded.
    pub result: Option<String>,
    /// What is stored beside its arguments.
    pub parameters: Parameters,
    /// All its states, oldest first.
    pub history: Vec<HistoryEntry>,
}

impl JobDetails {
    /// A job with its history, of which nothing else is known; for a backend that sets the other fields.
    #[must_use]
    pub fn new(job: JobSummary, history: Vec<HistoryEntry>) -> Self {
        Self {
            job,
            max_attempts: None,
            lost: 0,
            expires_at: None,
            result: None,
            parameters: Parameters::new(),
            history,
        }
    }
}

/// A number of jobs that is not counted further than a cap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Count {
    /// The number, or the cap.
    pub value: u64,
    /// Whether there are more.
    pub capped: bool,
}

impl Count {
    /// Where counting ends, unless a storage's options say otherwise.
    pub const CAP: u64 = 10_000;

    /// From a count that went at most one beyond `cap`.
    #[must_use]
    pub fn of(counted: u64, cap: u64) -> Self {
        Self { value: counted.min(cap), capped: counted > cap }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, if self.capped { "+" } else { "" })
    }
}

/// How many jobs are in each state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts([Count; 7]);

impl Counts {
    /// How many are in `state`.
    #[must_use]
    pub fn of(&self, state: StateName) -> Count {
        self.0[state as usize]
    }

    /// Sets how many are in `state`.
    pub fn set(&mut self, state: StateName, count: Count) {
        self.0[state as usize] = count;
    }

    /// How many are not done with: neither succeeded, nor failed, nor deleted.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        [StateName::Enqueued, StateName::Scheduled, StateName::Awaiting, StateName::Processing]
            .into_iter()
            .map(|state| self.of(state).value)
            .sum()
    }
}

/// One queue.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Its name.
    pub name: QueueName,
    /// How many jobs wait in it.
    pub enqueued: Count,
}

impl QueueStatus {
    /// A queue in which so many jobs wait.
    #[must_use]
    pub fn new(name: QueueName, enqueued: Count) -> Self {
        Self { name, enqueued }
    }
}

/// One server.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ServerStatus {
    /// What it said of itself.
    pub server: ServerRecord,
    /// When it last said so.
    pub heartbeat_at: Timestamp,
    /// How many jobs it holds.
    pub processing: Count,
}

impl ServerStatus {
    /// A server that last beat at `heartbeat_at` and holds so many jobs.
    #[must_use]
    pub fn new(server: ServerRecord, heartbeat_at: Timestamp, processing: Count) -> Self {
        Self { server, heartbeat_at, processing }
    }
}

/// The span of one number in the statistics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Period {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

impl Period {
    /// How many seconds it has.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// The beginning of the span that `at` lies in, in seconds since 1970.
    #[must_use]
    pub fn start(self, at: Timestamp) -> i64 {
        at.timestamp().div_euclid(self.seconds()) * self.seconds()
    }
}

/// How many jobs entered a state in a span of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// When the span began.
    pub from: Timestamp,
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed for good.
    pub failed: u64,
    /// How many were deleted.
    pub deleted: u64,
}

impl Statistics {
    /// Nothing yet, in a span that begins so many seconds after 1970.
    #[must_use]
    pub fn beginning(seconds: i64) -> Self {
        Self { from: Timestamp::from_timestamp(seconds, 0).unwrap_or_default(), ..Self::default() }
    }

    /// The sum of several spans; it begins where the first does.
    #[must_use]
    pub fn sum<'a>(spans: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut spans = spans.into_iter();
        let first = spans.next().copied().unwrap_or_default();
        spans.fold(first, |sum, span| Self {
            from: sum.from,
            succeeded: sum.succeeded + span.succeeded,
            failed: sum.failed + span.failed,
            deleted: sum.deleted + span.deleted,
        })
    }

    /// Hours, in their order, put together to spans of `period`; each with its beginning in seconds since 1970.
    #[must_use]
    pub fn grouped(period: Period, hours: impl IntoIterator<Item = (i64, Self)>) -> Vec<Self> {
        let mut spans: Vec<Self> = Vec::new();
        for (hour, counters) in hours {
            let from = Self::beginning(period.start(Self::beginning(hour).from)).from;
            let counters = Self { from, ..counters };
            match spans.last_mut() {
                Some(last) if last.from == from => *last = Self::sum([&*last, &counters]),
                _ => spans.push(counters),
            }
        }
        spans
    }
}
