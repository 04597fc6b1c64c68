use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, TimeZone};
use serde::Serialize;

use super::{Client, EnqueueError, JobHandle, NegativeDelay};
use crate::{
    clock::{LATEST, Timestamp, after, to_micros},
    job::{InvalidQueueName, Invocation, Job, JobId, ParameterError, Parameters, QueueName},
    storage::{Initial, NewJob},
};

/// A job about to be stored. Await it to store it; until then it can be told where and when to run.
///
/// ```
/// use std::time::Duration;
/// use jobs_runtime::prelude::*;
///
/// #[job]
/// async fn greet(name: String) {}
///
/// # async fn example() -> Result<(), EnqueueError> {
/// let first = Greet::enqueue("Ada").await?;
/// Greet::enqueue("Grace").delay(Duration::from_secs(60)).queue("bulk").priority(5).await?;
/// Greet::enqueue("Alan").after(&first).max_attempts(3).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is stored before it is awaited"]
#[derive(Debug)]
pub struct Enqueue<J> {
    job: J,
    id: Option<JobId>,
    client: Option<Client>,
    queue: Option<Result<QueueName, InvalidQueueName>>,
    priority: Option<i16>,
    max_attempts: Option<u32>,
    parameters: Result<Parameters, ParameterError>,
    start: Start,
}

/// When the job may run.
#[derive(Clone, Copy, Debug)]
enum Start {
    Now,
    Delayed(Result<Duration, NegativeDelay>),
    At(Timestamp),
    After(JobId),
    Several,
}

impl<J: Job> Enqueue<J> {
    /// Prepares to store `job` with the current client.
    pub fn new(job: J) -> Self {
        Self {
            job,
            id: None,
            client: None,
            queue: None,
            priority: None,
            max_attempts: None,
            parameters: Ok(Parameters::new()),
            start: Start::Now,
        }
    }

    /// Stores it under this id instead of a new one: it is stored once, however often it is enqueued with the same
    /// id. If there is a job of that id already, whatever it is, that one is left as it is.
    ///
    /// So an enqueue can be repeated after an error that leaves open whether the job is stored, even by another
    /// process, without running it twice; for as long as the first one is kept.
    ///
    /// ```
    /// # use jobs_runtime::prelude::*;
    /// # #[job] async fn charge(order: u64) {}
    /// # async fn example(client: Client) -> Result<(), EnqueueError> {
    /// let id = JobId::generate(client.storage().clock().now());
    /// if client.enqueue(Charge::new(7)).id(id).await.is_err() {
    ///     client.enqueue(Charge::new(7)).id(id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(mut self, id: JobId) -> Self {
        self.id = Some(id);
        self
    }

    /// Runs it after this time: a `std::time::Duration` or a `chrono::TimeDelta`.
    ///
    /// A negative one is refused when it is awaited, with [`EnqueueError::NegativeDelay`].
    pub fn delay(self, delay: impl IntoDelay) -> Self {
        self.start(Start::Delayed(delay.into_delay()))
    }

    /// Runs it at this time, or at once if it is past.
    pub fn at<Tz: TimeZone>(self, at: DateTime<Tz>) -> Self {
        self.start(Start::At(to_micros(at.to_utc())))
    }

    /// Runs it when another job has succeeded. If that one is deleted, this one is too; if it fails, this one waits
    /// until someone requeues or deletes it.
    pub fn after(self, parent: impl Into<JobId>) -> Self {
        self.start(Start::After(parent.into()))
    }

    /// Puts it into this queue instead of its type's.
    ///
    /// A text that isn't a [`QueueName`] is refused when it is awaited, with [`EnqueueError::InvalidQueue`].
    pub fn queue(mut self, queue: impl AsRef<str>) -> Self {
        self.queue = Some(QueueName::new(queue.as_ref()));
        self
    }

    /// Gives it this priority within its queue instead of its type's: higher numbers run first.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Retries it at most so often instead of as often as its type says: 0 is one run and no retry.
    ///
    /// It says nothing of servers that die: a run that is lost with its server is repeated all the same, until it was
    /// lost too often.
    ///
    /// The times between the retries stay those of its type's [`RetryPolicy`](crate::job::RetryPolicy).
    pub fn max_attempts(mut self, retries: u32) -> Self {
        self.max_attempts = Some(retries);
        self
    }

    /// Stores a value beside its arguments, which [filters](crate::filter) and the handler find by this name; see
    /// [`Parameters`].
    ///
    /// One that can't be written as JSON, or is too long, is refused when it is awaited, with [`EnqueueError::Parameter`].
    ///
    /// ```
    /// # use jobs_runtime::prelude::*;
    /// # #[job] async fn charge(order: u64) {}
    /// # async fn example() -> Result<(), EnqueueError> {
    /// Charge::enqueue(7_u64).parameter("tenant", "acme").parameter("trace", &[1, 2]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn parameter<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        if let Ok(parameters) = &mut self.parameters
            && let Err(error) = parameters.set(name, value)
        {
            self.parameters = Err(error);
        }
        self
    }

    /// Stores it with this client instead of the current one.
    pub fn with(mut self, client: &Client) -> Self {
        self.client = Some(client.clone());
        self
    }

    fn start(mut self, start: Start) -> Self {
        self.start = if matches!(self.start, Start::Now) { start } else { Start::Several };
        self
    }

    /// When it starts, as a state.
    fn initial(&self, now: Timestamp) -> Result<Initial, EnqueueError> {
        let at = match self.start {
            Start::Now => return Ok(Initial::Enqueued),
            Start::After(parent) => return Ok(Initial::Awaiting(parent)),
            Start::Several => return Err(EnqueueError::SeveralStarts { job: J::NAME }),
            Start::At(at) => at,
            Start::Delayed(Ok(delay)) => after(now, delay),
            Start::Delayed(Err(source)) => return Err(EnqueueError::NegativeDelay { job: J::NAME, source }),
        };
        match at {
            at if at >= LATEST => Err(EnqueueError::TooLate { job: J::NAME, at }),
            at if at <= now => Ok(Initial::Enqueued),
            at => Ok(Initial::Scheduled(at)),
        }
    }

    pub(super) fn prepare(self, client: &Client) -> Result<NewJob, EnqueueError> {
        let now = client.0.storage.clock().now();
        let initial = self.initial(now)?;
        let queue = match self.queue {
            Some(queue) => queue.map_err(|source| EnqueueError::InvalidQueue { job: J::NAME, source })?,
            None => J::SETTINGS.queue(),
        };
        let mut new = client.prepare(Invocation::of(&self.job)?)?;
        let parameters = self.parameters.map_err(|source| EnqueueError::Parameter { job: J::NAME, source })?;
        new.parameters.extend(parameters);
        let priority = self.priority.unwrap_or(J::SETTINGS.priority);
        let id = self.id.unwrap_or(new.id);
        Ok(NewJob { id, queue, priority, max_attempts: self.max_attempts, initial, ..new })
    }

    /// The client to store it with.
    pub(super) fn take_client(&mut self) -> Result<Client, EnqueueError> {
        self.client.take().or_else(Client::current).ok_or(EnqueueError::NoClient { job: J::NAME })
    }

    async fn store(mut self) -> Result<JobHandle<J::Output>, EnqueueError> {
        let client = self.take_client()?;
        let new = self.prepare(&client)?;
        let id = new.id;
        client.create(vec![new]).await?;
        Ok(JobHandle::new(client, id))
    }
}

/// What awaiting an [`Enqueue`] runs.
pub type EnqueueFuture<T> = Pin<Box<dyn Future<Output = Result<JobHandle<T>, EnqueueError>> + Send>>;

impl<J: Job> IntoFuture for Enqueue<J> {
    type Output = Result<JobHandle<J::Output>, EnqueueError>;
    type IntoFuture = EnqueueFuture<J::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.store())
    }
}

/// What [`Client::enqueue_all`] takes: jobs, [`Enqueue`] builders, and [`NewJob`]s.
pub trait IntoNewJob {
    /// What the job returns.
    type Output;

    /// Makes the job ready to be stored with `client`.
    ///
    /// # Errors
    ///
    /// [`EnqueueError`] if it can't be stored.
    fn into_new_job(self, client: &Client) -> Result<NewJob, EnqueueError>;
}

impl<J: Job> IntoNewJob for J {
    type Output = J::Output;

    fn into_new_job(self, client: &Client) -> Result<NewJob, EnqueueError> {
        Enqueue::new(self).prepare(client)
    }
}

impl<J: Job> IntoNewJob for Enqueue<J> {
    type Output = J::Output;

    fn into_new_job(self, client: &Client) -> Result<NewJob, EnqueueError> {
        match &self.client {
            Some(own) if !own.shares_storage(client) => Err(EnqueueError::OtherClient { job: J::NAME }),
            _ => self.prepare(client),
        }
    }
}

impl IntoNewJob for NewJob {
    type Output = serde_json::Value;

    fn into_new_job(self, client: &Client) -> Result<NewJob, EnqueueError> {
        client.check_size(&self.invocation)?;
        Ok(self)
    }
}

/// A length of time, of either of Rust's two common types.
pub trait IntoDelay {
    /// The delay.
    ///
    /// # Errors
    ///
    /// [`NegativeDelay`] if it is less than nothing.
    fn into_delay(self) -> Result<Duration, NegativeDelay>;
}

impl IntoDelay for Duration {
    fn into_delay(self) -> Result<Duration, NegativeDelay> {
        Ok(self)
    }
}

impl IntoDelay for TimeDelta {
    fn into_delay(self) -> Result<Duration, NegativeDelay> {
        self.to_std().map_err(|_| NegativeDelay { milliseconds: self.num_milliseconds() })
    }
}
