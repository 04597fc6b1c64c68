use super::Schedule;
use crate::{
    client::EnqueueError,
    job::InvalidQueueName,
    schedule::{CronError, InvalidScheduleId, ScheduleId, UnknownZone},
    storage::StorageError,
};

/// A schedule could not be stored, changed or read; nothing of what was asked is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text can't be an id.
    #[error(transparent)]
    InvalidId(#[from] InvalidScheduleId),
    /// The text is not a cron expression. `{error:#}` of the source marks the wrong part.
    #[error("schedule `{id}`: {source}")]
    Cron {
        /// The schedule.
        id: ScheduleId,
        /// What is wrong, and where.
        source: CronError,
    },
    /// The text is not the name of a time zone.
    #[error("schedule `{id}`: {source}")]
    Zone {
        /// The schedule.
        id: ScheduleId,
        /// What is wrong, and what may have been meant.
        source: UnknownZone,
    },
    /// The queue's name is not one.
    #[error("schedule `{id}`: {source}")]
    Queue {
        /// The schedule.
        id: ScheduleId,
        /// What is wrong.
        source: InvalidQueueName,
    },
    /// The number of missed slots to be made up for is out of range, or for nothing.
    #[error("schedule `{id}`: `max_missed({found})`: {reason}")]
    MaxMissed {
        /// The schedule.
        id: ScheduleId,
        /// The number.
        found: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The job's arguments can't be stored.
    #[error("schedule `{id}`: {source}")]
    Call {
        /// The schedule.
        id: ScheduleId,
        /// What is wrong.
        source: Box<EnqueueError>,
    },
    /// There is no such schedule.
    #[error("there is no schedule `{id}`")]
    NotFound {
        /// The schedule.
        id: ScheduleId,
    },
    /// The stored schedule can't be read by this version of the library; a later one may have written it.
    #[error("schedule `{id}` can't be read: {reason}; stored: {stored}")]
    Unreadable {
        /// The schedule.
        id: ScheduleId,
        /// What is wrong.
        reason: String,
        /// What is stored.
        stored: String,
    },
    /// Others kept changing the schedule at the same time.
    #[error("schedule `{id}` was changed by others each time it was to be changed; try again")]
    Contended {
        /// The schedule.
        id: ScheduleId,
    },
    /// The storage failed. Unless it is [`Closed`](StorageError::Closed), what was asked may be stored all the same.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ScheduleError {
    pub(super) fn unreadable(id: &ScheduleId, stored: String, reason: String) -> Self {
        Self::Unreadable { id: id.clone(), reason, stored }
    }

    pub(super) fn unreadable_schedule(found: &Schedule, reason: String) -> Self {
        Self::unreadable(found.id(), found.stored_definition().to_owned(), reason)
    }
}
