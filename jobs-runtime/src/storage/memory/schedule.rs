//! Schedules: written only if they are still as they were found.

use std::ops::Bound;

use super::tables::Tables;
use crate::{
    clock::Timestamp,
    schedule::ScheduleId,
    storage::{DueCursor, DueSchedules, ScheduleWrite, ScheduleWritten, StoredSchedule},
};

impl Tables {
    pub(super) fn write_schedule(&mut self, write: ScheduleWrite) -> ScheduleWritten {
        let found = self.schedules.get(&write.id).map(|schedule| schedule.version);
        if found != write.found || (found.is_none() && write.content.is_none()) {
            return ScheduleWritten::Conflict;
        }
        if let Some(at) = self.schedules.remove(&write.id).and_then(|old| old.next_run) {
            self.due_schedules.remove(&(at, write.id.clone()));
        }
        if let Some(content) = write.content {
            let version = i64::try_from(self.next()).unwrap_or(i64::MAX);
            self.due_schedules.extend(content.next_run.map(|at| (at, write.id.clone())));
            let (definition, progress) = (content.definition, content.progress);
            let schedule =
                StoredSchedule { id: write.id.clone(), version, next_run: content.next_run, definition, progress };
            self.schedules.insert(write.id, schedule);
        }
        for job in write.jobs {
            self.insert(job);
        }
        self.effects.recurring = true;
        ScheduleWritten::Stored
    }

    pub(super) fn find_due(&self, after: Option<DueCursor>, limit: usize, now: Timestamp) -> DueSchedules {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let due = self.due_schedules.range((after, Bound::Unbounded)).take_while(|(at, _)| *at <= now).take(limit);
        let due = due.map(|(_, id)| self.schedules[id].clone()).collect();
        let next_due = self.due_schedules.iter().map(|(at, _)| *at).find(|at| *at > now);
        DueSchedules { due, next_due }
    }

    pub(super) fn find_schedules(&self, after: Option<&ScheduleId>, limit: usize) -> Vec<StoredSchedule> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.schedules.range::<ScheduleId, _>((after, Bound::Unbounded)).take(limit).map(|(_, s)| s.clone()).collect()
    }
}
