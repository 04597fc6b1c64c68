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
use serde_json::Value;

pub(crate) use self::machine::{Again, Candidate, Ended, Run, SHUT_DOWN, candidate, refused};
pub use self::{
    awaiting::{Awaiting, release},
    deleted::Deleted,
    enqueued::Enqueued,
    failed::Failed,
    machine::{Death, lost},
    name::{StateName, StateSet},
    processing::Processing,
    scheduled::Scheduled,
    succeeded::Succeeded,
    transition::{Attempts, Expiry, HistoryEntry, Transition},
};

/// Reads what belongs to a state from its JSON text, as a storage keeps it. What a [`Value`] can't hold, such as a
/// number beyond all floats in the result of a job, stays the text that it is, so that nothing is lost.
#[must_use]
pub fn history_data(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

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
    pub fn data(&self) -> Value {
        match serde_json::to_string(self) {
            Ok(text) => history_data(&text),
            // No state has a key that is not a text, the only thing that JSON can't say.
            Err(error) => Value::String(error.to_string()),
        }
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
