//! Putting scheduled jobs into their queues.

use super::tables::Tables;
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{Enqueued, StateName, Transition},
    storage::Promotion,
};

impl Tables {
    pub(super) fn promote(&mut self, limit: usize, now: Timestamp) -> Promotion {
        let due: Vec<JobId> = self.index[StateName::Scheduled as usize]
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(limit)
            .map(|(_, id)| *id)
            .collect();
        for id in &due {
            self.apply(*id, Transition::new(Enqueued {}, now).because("its time has come"));
        }
        let next_due = self.index[StateName::Scheduled as usize].first().map(|(at, _)| *at);
        Promotion { promoted: due.len(), next_due }
    }
}
