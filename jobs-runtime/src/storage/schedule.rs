use super::NewJob;
use crate::{clock::Timestamp, schedule::ScheduleId};

/// A schedule as it is stored. What it says and how far it has come are texts that only servers and clients read, so
/// that one which a later version wrote can be shown and left alone.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StoredSchedule {
    /// Its id.
    pub id: ScheduleId,
    /// Tells this state of it from every other, also after it was removed and added again.
    pub version: i64,
    /// When it is due, if it ever is.
    pub next_run: Option<Timestamp>,
    /// What to run when, as JSON.
    pub definition: String,
    /// How far it has come, as JSON.
    pub progress: String,
}

impl StoredSchedule {
    /// A schedule that is not due; for a backend that sets the other field.
    pub fn new(id: ScheduleId, version: i64, definition: impl Into<String>, progress: impl Into<String>) -> Self {
        Self { id, version, next_run: None, definition: definition.into(), progress: progress.into() }
    }
}

/// A change of one schedule, with the jobs that it makes; done whole, and only if the schedule is still as it was found.
#[derive(Clone, Debug)]
pub struct ScheduleWrite {
    /// Which schedule.
    pub id: ScheduleId,
    /// The version that was found; `None` if there was no such schedule.
    pub found: Option<i64>,
    /// What it is to be, or `None` to remove it.
    pub content: Option<ScheduleContent>,
    /// Jobs to be stored with it, also if it is removed. Of each (schedule, slot) there is one: a second one is left out.
    pub jobs: Vec<NewJob>,
}

/// What a schedule is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleContent {
    /// When it is due, if it ever is.
    pub next_run: Option<Timestamp>,
    /// What to run when, as JSON.
    pub definition: String,
    /// How far it has come, as JSON.
    pub progress: String,
}

/// What became of a [`ScheduleWrite`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScheduleWritten {
    /// It is stored.
    Stored,
    /// Someone else has changed the schedule meanwhile; nothing of it is stored.
    Conflict,
}

/// The schedules that are due, as a page.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct DueSchedules {
    /// Those whose time has come, the longest due first.
    pub due: Vec<StoredSchedule>,
    /// When the first of the others is due, if one is.
    pub next_due: Option<Timestamp>,
}

impl DueSchedules {
    /// These are due, and the next one is then.
    #[must_use]
    pub fn new(due: Vec<StoredSchedule>, next_due: Option<Timestamp>) -> Self {
        Self { due, next_due }
    }
}

/// Where a page of due schedules begins: after the one that was due at this time and has this id.
pub type DueCursor = (Timestamp, ScheduleId);
