use serde::{Deserialize, Serialize};

use super::{StateName, StateSet};

/// A worker runs it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Processing {
    /// The server that claimed it.
    pub server: String,
    /// Which run this is: 1 for the first.
    pub attempt: u32,
}

impl Processing {
    /// The run's outcome; given back by a server that shuts down, or taken from one that died (Enqueued);
    /// deleted or requeued by hand while it runs.
    pub(super) const NEXT: StateSet = StateSet::of(&[
        StateName::Succeeded,
        StateName::Failed,
        StateName::Scheduled,
        StateName::Enqueued,
        StateName::Deleted,
    ]);
}
