use tracing::{info, warn};

use crate::{clock::Timestamp, schedule::ScheduleId};

/// What is worth to be told of a change of a schedule, once it is stored.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) dropped: Option<(Timestamp, Timestamp)>,
    pub(super) skipped: Option<Timestamp>,
    pub(super) recovered: bool,
    pub(super) error: Option<String>,
}

impl Report {
    pub(super) fn log(&self, id: &ScheduleId) {
        if let Some(error) = &self.error {
            warn!(schedule = %id, error, "a schedule is due and makes no jobs; it is tried again");
        }
        if self.recovered {
            info!(schedule = %id, "a schedule makes jobs again");
        }
        if let Some((first, until)) = self.dropped {
            let (first, until) = (first.to_rfc3339(), until.to_rfc3339());
            warn!(schedule = %id, first, until, "more slots were missed than are made up for; the earlier are dropped");
        }
        if let Some(slot) = self.skipped {
            info!(schedule = %id, slot = slot.to_rfc3339(), "a slot is skipped, because an earlier job has not ended");
        }
    }
}
