//! `retention(…)`: how long a job is kept when its runs have ended.

use std::time::Duration;

use super::list::{Entry, Grammar};
use crate::diagnostic::Errors;

const GRAMMAR: Grammar = Grammar {
    owner: "retention",
    options: &[("succeeded", "succeeded = \"7d\""), ("failed", "failed = \"30d\""), ("deleted", "deleted = \"1h\"")],
    hints: &[],
};

/// What `retention(…)` says of each state.
#[derive(Clone, Copy, Default)]
pub(crate) struct Retention {
    pub(crate) succeeded: Option<Duration>,
    pub(crate) failed: Option<Duration>,
    pub(crate) deleted: Option<Duration>,
}

impl Retention {
    pub(crate) fn parse(entry: &Entry, errors: &Errors) -> Option<Self> {
        let entries = entry.entries(GRAMMAR, errors)?;
        let time = |key| Some(entries.get(key)?.duration(errors)?.value);
        Some(Self { succeeded: time("succeeded"), failed: time("failed"), deleted: time("deleted") })
    }

    pub(crate) fn says_nothing(&self) -> bool {
        self.succeeded.or(self.failed).or(self.deleted).is_none()
    }
}
