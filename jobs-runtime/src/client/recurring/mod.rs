mod definition;
mod error;
mod progress;
mod schedule;
pub(crate) mod steps;

use chrono::DateTime;
use serde_json::Value;

pub use self::{
    definition::ScheduleDefinition,
    error::ScheduleError,
    progress::{DroppedSlots, LastRun, ScheduleFault},
    schedule::Schedule,
};
use super::{Client, EnqueueError, JobHandle};
use crate::{
    clock::Timestamp,
    job::{ArgumentsError, Invocation, Job, JobSettings},
    schedule::{IntoCron, ScheduleId, ScheduleOptions, Tz},
    storage::{ScheduleWrite, ScheduleWritten, StorageResult},
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
    /// `job` is a typed job such as `Report::new("eu")`, or an [`Invocation`] of one that this program doesn't have;
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
        for _ in 0..TRIES {
            let found = self.find(id).await?;
            let write = steps::define(id, found.as_ref(), definition, self.now());
            let Some(write) = write.map_err(|reason| unreadable(id, definition.to_json(), reason))? else {
                return Ok(Defined::Unchanged);
            };
            if self.write(write).await? {
                return Ok(if found.is_some() { Defined::Updated } else { Defined::Added });
            }
        }
        Err(ScheduleError::Contended { id: id.clone() })
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
        for _ in 0..TRIES {
            let Some(found) = self.find(&id).await? else { return Ok(false) };
            if self.write(found.removal()).await? {
                return Ok(true);
            }
        }
        Err(ScheduleError::Contended { id })
    }

    /// Enqueues a job of the schedule at once, beside its slots; also if it is paused or never fires.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if there is no such schedule, it can't be read, or the storage fails.
    pub async fn trigger(&self, id: impl AsRef<str>) -> Result<JobHandle<Value>, ScheduleError> {
        let id = ScheduleId::new(id.as_ref().to_owned())?;
        for _ in 0..TRIES {
            let found = self.existing(&id).await?;
            let triggered = steps::trigger(&found, self.now());
            let (job, write) = triggered.map_err(|reason| unreadable_schedule(&found, reason))?;
            if self.write(write).await? {
                return Ok(self.0.handle(job));
            }
        }
        Err(ScheduleError::Contended { id })
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

    /// One schedule, or `None` if there is none of that id.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if the text is no id, or the storage fails.
    pub async fn get(&self, id: impl AsRef<str>) -> Result<Option<Schedule>, ScheduleError> {
        self.find(&ScheduleId::new(id.as_ref().to_owned())?).await
    }

    /// All schedules, by the bytes of their ids.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub async fn list(&self) -> StorageResult<Vec<Schedule>> {
        const PAGE: usize = 500;
        let mut all: Vec<Schedule> = Vec::new();
        loop {
            let page = self.0.monitor().schedules(all.last().map(Schedule::id), PAGE).await?;
            let is_last = page.len() < PAGE;
            all.extend(page.into_iter().map(Schedule::read));
            if is_last {
                return Ok(all);
            }
        }
    }

    /// The times at which a schedule will be due, at most `count` of them, in its time zone; none if it never fires.
    /// For a paused one, those at which it would be.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if there is no such schedule, it can't be read, or the storage fails.
    pub async fn next_runs(&self, id: impl AsRef<str>, count: usize) -> Result<Vec<DateTime<Tz>>, ScheduleError> {
        let found = self.existing(&ScheduleId::new(id.as_ref().to_owned())?).await?;
        let timetable = found.parts().and_then(|(definition, _)| definition.timetable());
        let timetable = timetable.map_err(|reason| unreadable_schedule(&found, reason))?;
        let first = found.next_run().or_else(|| timetable.next_after(self.now()));
        let runs = std::iter::successors(first, |run| timetable.next_after(*run));
        Ok(runs.take(count).map(|run| run.with_timezone(&timetable.tz)).collect())
    }

    async fn change(
        &self,
        id: &str,
        step: impl Fn(&Schedule) -> Result<Option<ScheduleWrite>, String>,
    ) -> Result<(), ScheduleError> {
        let id = ScheduleId::new(id.to_owned())?;
        for _ in 0..TRIES {
            let found = self.existing(&id).await?;
            let write = step(&found).map_err(|reason| unreadable_schedule(&found, reason))?;
            let Some(write) = write else { return Ok(()) };
            if self.write(write).await? {
                return Ok(());
            }
        }
        Err(ScheduleError::Contended { id })
    }

    async fn existing(&self, id: &ScheduleId) -> Result<Schedule, ScheduleError> {
        self.find(id).await?.ok_or_else(|| ScheduleError::NotFound { id: id.clone() })
    }

    async fn find(&self, id: &ScheduleId) -> Result<Option<Schedule>, ScheduleError> {
        Ok(self.0.monitor().schedule(id).await?.map(Schedule::read))
    }

    /// Writes, unless the schedule was changed since it was found; returns whether it did.
    async fn write(&self, write: ScheduleWrite) -> Result<bool, ScheduleError> {
        let written = self.0.storage().write_schedules(vec![write]).await?;
        Ok(written.first() == Some(&ScheduleWritten::Stored))
    }

    fn now(&self) -> Timestamp {
        self.0.storage().clock().now()
    }
}

/// How often something is tried anew when others change the same schedule at the same time.
const TRIES: usize = 20;

fn unreadable(id: &ScheduleId, stored: String, reason: String) -> ScheduleError {
    ScheduleError::Unreadable { id: id.clone(), reason, stored }
}

fn unreadable_schedule(found: &Schedule, reason: String) -> ScheduleError {
    unreadable(found.id(), found.stored_definition().to_owned(), reason)
}

/// What [`Recurring::add_or_update`] takes: a typed job, or an [`Invocation`].
pub trait IntoInvocation {
    /// What the job's type says of its calls.
    fn settings(&self) -> JobSettings;

    /// The call as it will be stored.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] if the arguments can't be written as JSON.
    fn into_invocation(self) -> Result<Invocation, ArgumentsError>;
}

impl<J: Job> IntoInvocation for J {
    fn settings(&self) -> JobSettings {
        J::SETTINGS
    }

    fn into_invocation(self) -> Result<Invocation, ArgumentsError> {
        Invocation::of(&self)
    }
}

impl IntoInvocation for Invocation {
    fn settings(&self) -> JobSettings {
        JobSettings::default()
    }

    fn into_invocation(self) -> Result<Invocation, ArgumentsError> {
        Ok(self)
    }
}
