//! The seven states of a job, Hangfire's, and the rules by which it moves between them.
//!
//! Everything here is pure: no storage, no clock, no chance but what the caller passes in.
//!
#![doc = include_str!("states.md")]

mod awaiting;
mod deleted;
mod enqueued;
mod failed;
mod machine;
mod micros;
mod name;
mod processing;
mod scheduled;
mod succeeded;
mod transition;

use serde::Serialize;

pub use self::{
    awaiting::Awaiting,
    deleted::Deleted,
    enqueued::Enqueued,
    failed::Failed,
    name::{StateName, StateSet},
    processing::Processing,
    scheduled::Scheduled,
    succeeded::Succeeded,
    transition::{Attempts, HistoryEntry, Transition},
};
pub(crate) use self::{
    awaiting::release,
    machine::{Death, Ended, Run, SHUT_DOWN, decide, lost},
};

/// The state of a job with what belongs to it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum State {
    /// Waits in its queue.
    Enqueued(Enqueued),
    /// Waits for its time.
    Scheduled(Scheduled),
    /// Waits for another job.
    Awaiting(Awaiting),
    /// Runs.
    Processing(Processing),
    /// Ran without an error.
    Succeeded(Succeeded),
    /// Failed for good.
    Failed(Failed),
    /// Called off.
    Deleted(Deleted),
}

impl State {
    /// Which of the seven it is.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Enqueued(_) => StateName::Enqueued,
            Self::Scheduled(_) => StateName::Scheduled,
            Self::Awaiting(_) => StateName::Awaiting,
            Self::Processing(_) => StateName::Processing,
            Self::Succeeded(_) => StateName::Succeeded,
            Self::Failed(_) => StateName::Failed,
            Self::Deleted(_) => StateName::Deleted,
        }
    }

    /// What belongs to the state, as it is kept in the history.
    #[must_use]
    pub fn data(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

macro_rules! state_from {
    ($($state:ident),*) => {$(
        impl From<$state> for State {
            fn from(state: $state) -> Self {
                Self::$state(state)
            }
        }
    )*};
}

state_from!(Enqueued, Scheduled, Awaiting, Processing, Succeeded, Failed, Deleted);
