use serde::{Deserialize, Serialize};

use super::{StateName, StateSet};
use crate::job::Failure;

/// Failed for good; kept until someone looks at it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The error of the last run.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Failed {
    /// Run again or put off by hand; deleted.
    pub(super) const NEXT: StateSet = StateSet::of(&[StateName::Enqueued, StateName::Scheduled, StateName::Deleted]);
}
