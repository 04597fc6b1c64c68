//! Recording how runs ended.

use super::{change::is_by_hand, tables::Tables};
use crate::{
    job::{JobId, Parameters},
    state::StateName,
    storage::{ClaimToken, Finish, Recorded},
};

impl Tables {
    pub(super) fn finish(&mut self, finish: Finish) -> Recorded {
        let to = finish.transition.to.name();
        if to == StateName::Succeeded && self.succeeded_by(finish.job, finish.token) {
            return Recorded::Stored;
        }
        let ends_a_run = to == StateName::Succeeded || is_by_hand(to);
        if !ends_a_run || !self.holds(finish.job, finish.token) {
            return Recorded::Fenced;
        }
        self.apply(finish.job, finish.transition);
        Recorded::Stored
    }

    pub(super) fn set_parameters(&mut self, id: JobId, token: ClaimToken, parameters: Parameters) -> Recorded {
        match self.jobs.get_mut(&id) {
            Some(row) if row.claim.as_ref().is_some_and(|(held, _)| *held == token) => {
                row.job.parameters = parameters;
                Recorded::Stored
            }
            _ => Recorded::Fenced,
        }
    }

    fn succeeded_by(&self, id: JobId, token: ClaimToken) -> bool {
        self.jobs.get(&id).is_some_and(|row| row.succeeded_by == Some(token))
    }
}
