use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{StateName, StateSet};

/// Ran to its end without an error; expires.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Succeeded {
    /// What the job returned, as JSON.
    pub result: Box<RawValue>,
    /// How long it ran.
    #[serde(with = "super::micros", rename = "duration_us")]
    pub duration: Duration,
}

impl Succeeded {
    /// Final; by hand it may be run once more or deleted.
    pub(super) const NEXT: StateSet = StateSet::of(&[StateName::Enqueued, StateName::Deleted]);
}
