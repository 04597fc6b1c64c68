use serde::{Deserialize, Serialize};

use super::{StateName, StateSet};

/// Waits in its queue for a free worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Enqueued {}

impl Enqueued {
    /// Claimed by a worker; put off; deleted; or put at the end of its queue again.
    pub(super) const NEXT: StateSet =
        StateSet::of(&[StateName::Processing, StateName::Scheduled, StateName::Deleted, StateName::Enqueued]);
}
