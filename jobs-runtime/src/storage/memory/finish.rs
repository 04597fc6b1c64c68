//! Recording how runs ended.

use super::tables::Tables;
use crate::storage::{Finish, Recorded};

impl Tables {
    pub(super) fn finish(&mut self, finish: Finish) -> Recorded {
        if !self.holds(finish.job, finish.token) {
            return Recorded::Fenced;
        }
        self.apply(finish.job, finish.transition);
        Recorded::Stored
    }
}
