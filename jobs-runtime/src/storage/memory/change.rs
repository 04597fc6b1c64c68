//! Moving jobs by hand.

use super::tables::Tables;
use crate::{
    state::StateName,
    storage::{Change, Changed},
};

impl Tables {
    pub(super) fn change(&mut self, change: Change) -> Changed {
        let Some(row) = self.jobs.get(&change.job) else { return Changed::NotFound };
        let from = row.state.name();
        if !change.from.contains(from) {
            return Changed::Refused(from);
        }
        self.effects.revoked |= from == StateName::Processing;
        self.apply(change.job, change.transition);
        Changed::Moved(from)
    }
}
