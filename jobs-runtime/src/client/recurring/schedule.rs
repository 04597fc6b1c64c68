use serde_json::Value;

use super::{
    definition::ScheduleDefinition,
    progress::{DroppedSlots, LastRun, Progress, ScheduleFault},
};
use crate::{
    clock::Timestamp,
    schedule::ScheduleId,
    storage::{NewJob, ScheduleContent, ScheduleWrite, StoredSchedule},
};

/// A schedule with all that is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    stored: StoredSchedule,
    definition: Result<ScheduleDefinition, String>,
    progress: Result<Progress, String>,
}

impl Schedule {
    pub(crate) fn read(stored: StoredSchedule) -> Self {
        let definition = ScheduleDefinition::read(&stored.definition);
        let progress = Progress::read(&stored.progress);
        Self { stored, definition, progress }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ScheduleId {
        &self.stored.id
    }

    pub(crate) fn version(&self) -> i64 {
        self.stored.version
    }

    /// What it runs and when; `None` if this version of the library can't read it at all.
    #[must_use]
    pub fn definition(&self) -> Option<&ScheduleDefinition> {
        self.definition.as_ref().ok()
    }

    /// The definition as it is stored: JSON.
    #[must_use]
    pub fn stored_definition(&self) -> &str {
        &self.stored.definition
    }

    /// When it is due next; `None` if it is paused or never fires. A time in the past means that no server has come to
    /// it yet.
    #[must_use]
    pub fn next_run(&self) -> Option<Timestamp> {
        self.stored.next_run
    }

    /// Since when there is a schedule of this id.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.known().map(|progress| progress.created_at)
    }

    /// The last time it made a job.
    #[must_use]
    pub fn last_run(&self) -> Option<LastRun> {
        self.known()?.last_run
    }

    /// The last slot that was skipped, because an earlier job had not ended.
    #[must_use]
    pub fn last_skipped(&self) -> Option<Timestamp> {
        self.known()?.skipped
    }

    /// The missed slots that were dropped last, because they were too many.
    #[must_use]
    pub fn dropped(&self) -> Option<DroppedSlots> {
        self.known()?.dropped
    }

    /// Whether it makes no jobs until someone resumes it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.known().is_some_and(|progress| progress.paused)
    }

    /// Whether it stood in the source of a package and stands there no longer, as the last server found that started
    /// with that package.
    #[must_use]
    pub fn is_orphaned(&self) -> bool {
        self.known().is_some_and(|progress| progress.orphaned)
    }

    /// Why it makes no jobs though it is due: no running server can compute it, or knows its job.
    ///
    /// It is tried again all the time, and goes on by itself when it can be computed.
    #[must_use]
    pub fn error(&self) -> Option<ScheduleFault> {
        let unreadable = |reason: &str| ScheduleFault::new(reason.to_owned(), None);
        match (&self.definition, &self.progress) {
            (_, Ok(progress)) if progress.error.is_some() => progress.error.clone(),
            (Err(reason), _) | (_, Err(reason)) => Some(unreadable(reason)),
            (Ok(definition), Ok(_)) => definition.timing().err().map(|reason| unreadable(&reason)),
        }
    }

    /// Up to where its slots are done with.
    pub(crate) fn base(&self) -> Option<Timestamp> {
        self.known().map(|progress| progress.base)
    }

    /// Whether a clock that was ahead has put it far beyond `now`.
    pub(crate) fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.known().is_some_and(|progress| progress.is_ahead_of(now))
    }

    pub(crate) fn known(&self) -> Option<&Progress> {
        self.progress.as_ref().ok()
    }

    /// Both parts, if they can be read.
    pub(crate) fn parts(&self) -> Result<(&ScheduleDefinition, &Progress), String> {
        Ok((self.definition.as_ref().map_err(Clone::clone)?, self.progress.as_ref().map_err(Clone::clone)?))
    }

    /// That of a schedule whose own progress can't be read: all begins at `now`, but a pause stays.
    pub(super) fn begin_anew(&self, now: Timestamp) -> Progress {
        let fields: Value = serde_json::from_str(&self.stored.progress).unwrap_or_default();
        Progress { paused: fields["paused"] == true, ..Progress::new(now) }
    }

    /// A change of how far this schedule has come, as it was read.
    pub(crate) fn write(&self, next_run: Option<Timestamp>, progress: &Progress, jobs: Vec<NewJob>) -> ScheduleWrite {
        let definition = self.stored.definition.clone();
        let content = ScheduleContent { next_run, definition, progress: progress.to_json() };
        ScheduleWrite { jobs, ..self.replacement(content) }
    }

    pub(crate) fn replacement(&self, content: ScheduleContent) -> ScheduleWrite {
        let (id, found) = (self.id().clone(), Some(self.stored.version));
        ScheduleWrite { id, found, content: Some(content), jobs: Vec::new() }
    }

    pub(crate) fn removal(&self) -> ScheduleWrite {
        ScheduleWrite { id: self.id().clone(), found: Some(self.stored.version), content: None, jobs: Vec::new() }
    }
}
