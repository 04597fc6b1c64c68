use serde::{Deserialize, Serialize};

use super::{StateName, StateSet};

/// Called off by hand, by its own handler, or because the job it awaited was; expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Deleted {}

impl Deleted {
    /// Final; by hand it may be run after all.
    pub(super) const NEXT: StateSet = StateSet::of(&[StateName::Enqueued]);
}
