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
        if !change.from.contains(from) || !is_by_hand(change.transition.to.name()) {
            return Changed::Refused(from);
        }
        self.effects.revoked |= from == StateName::Processing;
        self.apply(change.job, change.transition);
        Changed::Moved(from)
    }
}

/// Whether a job can be put into a state without more: Processing needs a claim, Succeeded a run, Awaiting a parent.
pub(super) fn is_by_hand(to: StateName) -> bool {
    !matches!(to, StateName::Processing | StateName::Succeeded | StateName::Awaiting)
}
