//! Removing jobs whose time has expired.

use super::tables::Tables;
use crate::{clock::Timestamp, job::JobId, state::Deleted};

impl Tables {
    pub(super) fn expire(&mut self, limit: usize, now: Timestamp) -> usize {
        let expired: Vec<JobId> =
            self.expiring.iter().take_while(|(at, _)| *at <= now).take(limit).map(|(_, id)| *id).collect();
        for id in &expired {
            self.release(*id, Deleted {}.into(), now, "the awaited job expired");
            self.leave(*id);
            if let Some(recurrence) = self.jobs.remove(id).and_then(|row| row.job.recurrence) {
                self.slots.remove(&recurrence);
            }
        }
        expired.len()
    }
}
