use serde::{Deserialize, Serialize};

use super::{Deleted, Enqueued, State, StateName, StateSet};
use crate::job::JobId;

/// Waits for another job to succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Awaiting {
    /// The job that must succeed first.
    pub parent: JobId,
}

impl Awaiting {
    /// The parent succeeded, or someone did not want to wait; the parent or the job itself was deleted.
    pub(super) const NEXT: StateSet = StateSet::of(&[StateName::Enqueued, StateName::Scheduled, StateName::Deleted]);
}

/// What becomes of the jobs that await a parent which entered the state `parent`, and why: nothing while it may
/// still succeed.
///
/// Source: Hangfire's `ContinuationsSupportAttribute` with `OnlyOnSucceededState`, its default.
#[must_use]
pub fn release(parent: StateName) -> Option<(State, &'static str)> {
    match parent {
        StateName::Succeeded => Some((Enqueued {}.into(), "the awaited job succeeded")),
        StateName::Deleted => Some((Deleted {}.into(), "the awaited job was deleted")),
        _ => None,
    }
}
