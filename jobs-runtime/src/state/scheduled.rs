use serde::{Deserialize, Serialize};

use super::{StateName, StateSet};
use crate::clock::Timestamp;

/// Waits for its time: delayed by its creator, or for a retry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scheduled {
    /// When the job is put into its queue.
    pub at: Timestamp,
}

impl Scheduled {
    /// Due, or run at once by hand; put off again; deleted.
    pub(super) const NEXT: StateSet = StateSet::of(&[StateName::Enqueued, StateName::Scheduled, StateName::Deleted]);
}
