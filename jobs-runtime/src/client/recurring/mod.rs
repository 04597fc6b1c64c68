mod definition;
mod error;
mod into_invocation;
mod progress;
mod read;
mod same_json;
mod schedule;
pub(crate) mod steps;

use serde_json::Value;
use tracing::warn;

pub(crate) use self::definition::Timing;
pub use self::{
    definition::ScheduleDefinition,
    error::ScheduleError,
    into_invocation::IntoInvocation,
    progress::{DroppedSlots, LastRun, ScheduleFault},
    schedule::Schedule,
};
use super::{Client, EnqueueError, JobHandle, Superseded};
use crate::{
    clock::Timestamp,
    job::JobId,
    schedule::{IntoCron, ScheduleId, ScheduleOptions},
    storage::{ScheduleWrite, ScheduleWritten},
};

/// Adds schedules to a storage, looks at them and steers them; from [`Client::recurring`].
///
/// Schedules that are known when the program is compiled stand beside their jobs, as
/// [`#[recurring]`](macro@crate::recurring). These are for all others: those of a tenant, a user, a file.
///
/// ```
/// use jobs_runtime::{prelude::*, schedule::ScheduleOptions};
///
/// #[job]
/// async fn report(region: String) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::new(jobs_runtime::storage::connect("memory:").await?);
/// let recurring = client.recurring();
/// let options = ScheduleOptions::new().tz("Europe/Berlin");
/// recurring.add_or_update("report:eu", Report::new("eu"), "0 9 * * MON-FRI", options).await?;
///
/// let schedules = recurring.list().await?;
/// assert_eq!(schedules[0].id().as_str(), "report:eu");
/// let next = recurring.next_runs("report:eu", 5).await?;
/// assert!(next.iter().all(|run| run.format("%H:%M").to_string() == "09:00"));
///
/// recurring.trigger("report:eu").await?;
/// recurring.remove("report:eu").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recurring(Client);

/// What [`Recurring::add_or_update`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Defined {
    /// There was no schedule of this id; there is now.
    Added,
    /// It was another one before.
    Updated,
    /// It was the same before; nothing was written.
    Unchanged,
}

impl Client {
    /// The schedules of the storage.
    #[must_use]
    pub fn recurring(&self) -> Recurring {
        Recurring(self.clone())
    }
}

impl Recurring {
    /// Stores a schedule that calls `job` at the times of `cron`, or changes the one that has this id.
    ///
    /// `job` is a typed job such as `Report::new("eu")`, or an [`Invocation`](crate::job::Invocation) of one that this program doesn't have;
    /// `cron` a text, a [`CronSchedule`](crate::schedule::CronSchedule), or what [`Cron`](crate::schedule::Cron)
    /// returns.
    ///
    /// If nothing differs, nothing is written, and the next run stays as it is; so it may be called at every start. If
    /// the expression or the time zone differs, slots count from now on: none of the past is made up for.
    ///
    /// A schedule that stands in the source as [`#[recurring]`](macro@crate::recurring) is changed too, until the next
    /// server starts that has it.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with what is wrong in the id, the expression, the options or the arguments.
    pub async fn add_or_update(
        &self,
        id: impl AsRef<str>,
        job: impl IntoInvocation,
        cron: impl IntoCron,
        options: ScheduleOptions,
    ) -> Result<Defined, ScheduleError> {
        let id = ScheduleId::new(id.as_ref().to_owned())?;
        let cron = cron.into_cron().map_err(|source| ScheduleError::Cron { id: id.clone(), source })?;
        let settings = job.settings();
        let call = job.into_invocation().map_err(EnqueueError::from);
        let call = call.and_then(|call| self.0.check_size(&call).map(|()| call));
        let call = call.map_err(|source| ScheduleError::Call { id: id.clone(), source: Box::new(source) })?;
        let definition = ScheduleDefinition::new(&id, &call, &settings, &cron, options)?;
        self.define(&id, &definition).await
    }

    pub(crate) async fn define(
        &self,
        id: &ScheduleId,
        definition: &ScheduleDefinition,
    ) -> Result<Defined, ScheduleError> {
        let step = |found: Option<&Schedule>| {
            let write = steps::define(id, found, definition, self.now());
            let write = write.map_err(|reason| ScheduleError::unreadable(id, definition.to_json(), reason))?;
            let defined = match (&write, found) {
                (None, _) => Defined::Unchanged,
                (Some(_), None) => Defined::Added,
                (Some(_), Some(_)) => Defined::Updated,
            };
            let was_ahead = found.is_some_and(|found| found.is_ahead_of(self.now()));
            Ok((write, (defined, was_ahead)))
        };
        let (defined, was_ahead) = self.attempt(id, step).await?;
        if was_ahead {
            warn_of_wrong_clock(id);
        }
        Ok(defined)
    }

    /// Removes a schedule; returns whether there was one. Jobs that it made stay.
    ///
    /// One that stands in the source comes back when the next server starts.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if the text is no id, or the storage fails.
    pub async fn remove(&self, id: impl AsRef<str>) -> Result<bool, ScheduleError> {
        let id = ScheduleId::new(id.as_ref().to_owned())?;
        self.attempt(&id, |found| Ok((found.map(Schedule::removal), found.is_some()))).await
    }

    /// Enqueues a job of the schedule at once, beside its slots; also if it is paused or never fires.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if there is no such schedule, it can't be read, or the storage fails.
    pub async fn trigger(&self, id: impl AsRef<str>) -> Result<JobHandle<Value>, ScheduleError> {
        // The same job at each try, so that there is one even if a try that seemed to fail was none.
        let now = self.now();
        let job = JobId::generate(now);
        self.change(id.as_ref(), |found| steps::trigger(found, job, now).map(Some)).await?;
        Ok(self.0.handle(job))
    }

    /// Makes no more jobs of a schedule until it is resumed. Nothing happens if it is paused already.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if there is no such schedule, it can't be read, or the storage fails.
    pub async fn pause(&self, id: impl AsRef<str>) -> Result<(), ScheduleError> {
        self.change(id.as_ref(), steps::pause).await
    }

    /// Makes jobs of a schedule again. Slots count from now on: those that came while it was paused are not made up
    /// for. Nothing happens if it is not paused.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if there is no such schedule, it can't be read, or the storage fails.
    pub async fn resume(&self, id: impl AsRef<str>) -> Result<(), ScheduleError> {
        self.change(id.as_ref(), |found| steps::resume(found, self.now())).await
    }

    /// Changes a schedule that must be there.
    async fn change(
        &self,
        id: &str,
        step: impl Fn(&Schedule) -> Result<Option<ScheduleWrite>, String>,
    ) -> Result<(), ScheduleError> {
        let id = ScheduleId::new(id.to_owned())?;
        let step = |found: Option<&Schedule>| {
            let found = found.ok_or_else(|| ScheduleError::NotFound { id: id.clone() })?;
            let write = step(found).map_err(|reason| ScheduleError::unreadable_schedule(found, reason))?;
            Ok((write, ()))
        };
        self.attempt(&id, step).await
    }

    /// Writes what `step` makes of the schedule as it is found, and again for as long as others change it at the same
    /// time; returns its answer, at once if there is nothing to write.
    async fn attempt<T>(
        &self,
        id: &ScheduleId,
        step: impl Fn(Option<&Schedule>) -> Result<(Option<ScheduleWrite>, T), ScheduleError>,
    ) -> Result<T, ScheduleError> {
        for _ in 0..TRIES {
            let found = self.find(id).await?;
            let (write, answer) = step(found.as_ref())?;
            let Some(write) = write else { return Ok(answer) };
            if self.write(write).await? {
                return Ok(answer);
            }
        }
        Err(ScheduleError::Contended { id: id.clone() })
    }

    /// Writes, unless the schedule was changed since it was found; returns whether it did.
    async fn write(&self, mut write: ScheduleWrite) -> Result<bool, ScheduleError> {
        let mut creations = self.0.filter(&mut write).await;
        if let Some(stopped) = creations.take_stopped() {
            let error = EnqueueError::from(stopped);
            creations.end(Some(&error)).await;
            return Err(ScheduleError::Call { id: write.id, source: Box::new(error) });
        }
        let written = self.0.storage().write_schedules(vec![write]).await;
        let is_stored = matches!(written.as_deref(), Ok([ScheduleWritten::Stored]));
        match &written {
            Ok(_) if is_stored => creations.end(None).await,
            Ok(_) => creations.end(Some(&Superseded)).await,
            Err(error) => creations.end(Some(error)).await,
        }
        written?;
        Ok(is_stored)
    }

    fn now(&self) -> Timestamp {
        self.0.storage().clock().now()
    }
}

/// Tells that a schedule was put far ahead by a clock, and counts from now again.
pub(crate) fn warn_of_wrong_clock(id: &ScheduleId) {
    warn!(schedule = %id, "a clock was far ahead when it last made jobs of a schedule; its slots count from now");
}

/// How often something is tried anew when others change the same schedule at the same time.
const TRIES: usize = 20;
