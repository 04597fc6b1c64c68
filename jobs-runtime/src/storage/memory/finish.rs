//! Recording how runs ended.

use super::{change::is_by_hand, tables::Tables};
use crate::{
    state::StateName,
    storage::{Finish, Recorded},
};

impl Tables {
    pub(super) fn finish(&mut self, finish: Finish) -> Recorded {
        let to = finish.transition.to.name();
        let ends_a_run = to == StateName::Succeeded || is_by_hand(to);
        if !ends_a_run || !self.holds(finish.job, finish.token) {
            return Recorded::Fenced;
        }
        self.apply(finish.job, finish.transition);
        Recorded::Stored
    }
}
