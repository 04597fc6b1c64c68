use chrono::{DateTime, TimeDelta};

use super::{Recurring, Schedule, ScheduleError};
use crate::{
    schedule::{ScheduleId, Tz},
    storage::StorageResult,
};

impl Recurring {
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

    /// The slots of a schedule from now on, at most `count` of them, in its time zone; none if it never fires. For a
    /// paused one, those that it would have.
    ///
    /// Slots that were missed are not among them, even if they are still to be made up for.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if there is no such schedule, it can't be read, or the storage fails.
    pub async fn next_runs(&self, id: impl AsRef<str>, count: usize) -> Result<Vec<DateTime<Tz>>, ScheduleError> {
        let found = self.existing(&ScheduleId::new(id.as_ref().to_owned())?).await?;
        let plan = found.parts().and_then(|(definition, progress)| Ok((definition.timetable()?, progress.base)));
        let (timetable, base) = plan.map_err(|reason| ScheduleError::unreadable_schedule(&found, reason))?;
        // A slot of this very second is due, unless it is done with.
        let first = timetable.next_after(base.max(self.now() - TimeDelta::seconds(1)));
        let runs = std::iter::successors(first, |run| timetable.next_after(*run));
        Ok(runs.take(count).map(|run| run.with_timezone(&timetable.tz)).collect())
    }

    async fn existing(&self, id: &ScheduleId) -> Result<Schedule, ScheduleError> {
        self.find(id).await?.ok_or_else(|| ScheduleError::NotFound { id: id.clone() })
    }

    pub(super) async fn find(&self, id: &ScheduleId) -> Result<Option<Schedule>, ScheduleError> {
        Ok(self.0.monitor().schedule(id).await?.map(Schedule::read))
    }
}
