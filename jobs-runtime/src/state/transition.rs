use std::time::Duration;

use serde_json::Value;

use super::{State, StateName};
use crate::{clock::Timestamp, job::Parameters};

/// One move of a job into a state, as a storage applies it: in one commit, with its history.
#[derive(Clone, Debug)]
pub struct Transition {
    /// The new state.
    pub to: State,
    /// Why, for the history.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// States that were proposed before `to` replaced them, oldest first: they become history too.
    pub replaced: Vec<HistoryEntry>,
    /// What happens to the count of spent attempts.
    pub attempts: Attempts,
    /// How long the job is kept in the new state.
    pub expiry: Expiry,
    /// What is stored beside its arguments from now on, if that changes.
    pub parameters: Option<Parameters>,
}

impl Transition {
    /// A move at `at`, for no reason, that keeps the count of attempts.
    pub fn new(to: impl Into<State>, at: Timestamp) -> Self {
        Self {
            to: to.into(),
            reason: None,
            at,
            replaced: Vec::new(),
            attempts: Attempts::Keep,
            expiry: Expiry::default(),
            parameters: None,
        }
    }

    /// The same with a reason; a zero character in it, which not every database can store, becomes U+FFFD.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into().replace('\0', "\u{fffd}"));
        self
    }

    /// The same with another effect on the count of attempts.
    #[must_use]
    pub fn attempts(mut self, attempts: Attempts) -> Self {
        self.attempts = attempts;
        self
    }

    /// The same with another time for which the job is kept.
    #[must_use]
    pub fn kept(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// Another move in its place, of which it becomes history.
    #[must_use]
    pub fn replaced_by(mut self, to: impl Into<State>, reason: impl Into<String>) -> Self {
        let replaced = HistoryEntry::new(&self.to, self.at, self.reason.take());
        self.replaced.push(replaced);
        Self { to: to.into(), ..self }.because(reason)
    }

    /// Whether a job that is `from` keeps its place in its queue: it was claimed and is given back, for no fault of
    /// its own. One that was elected to be Enqueued goes to the end.
    #[must_use]
    pub fn keeps_place(&self, from: StateName) -> bool {
        let given_back = from == StateName::Processing && self.to.name() == StateName::Enqueued;
        given_back && self.attempts == Attempts::Keep && self.replaced.is_empty()
    }

    /// The history that the move leaves, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<HistoryEntry> {
        let entry = HistoryEntry::new(&self.to, self.at, self.reason.clone());
        self.replaced.iter().cloned().chain([entry]).collect()
    }
}

/// How long a job is kept in a state in which it is done with: Succeeded, Deleted or Failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expiry {
    /// As its storage's [`Retention`](crate::storage::Retention) says.
    #[default]
    Retention,
    /// For this time.
    After(Duration),
    /// Until someone deletes it.
    Never,
}

/// What a move does to the number of attempts that a job has spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempts {
    /// Nothing.
    Keep,
    /// The run that ends counts.
    Spend,
    /// The run that ends counts, and was lost with its server.
    Lose,
    /// A new round begins.
    Reset,
}

/// One line of a job's history.
#[derive(Clone, PartialEq, Debug)]
pub struct HistoryEntry {
    /// The state that was entered, or proposed.
    pub state: StateName,
    /// When.
    pub at: Timestamp,
    /// Why, if there is more to say than the state's name.
    pub reason: Option<String>,
    /// What belongs to the state: who ran the job, its error, its result, when it is due.
    ///
    /// It is for looking at: numbers of more than 64 bits are rounded. A job's result to the letter is in
    /// [`JobDetails::result`](crate::storage::JobDetails::result).
    pub data: Value,
}

impl HistoryEntry {
    /// The line of `state`, entered at `at`.
    #[must_use]
    pub fn new(state: &State, at: Timestamp, reason: Option<String>) -> Self {
        Self { state: state.name(), at, reason, data: state.data() }
    }
}
