use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Awaiting, Deleted, Enqueued, Failed, Processing, Scheduled, Succeeded};

/// The name of a state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// Waits in its queue.
    Enqueued,
    /// Waits for its time.
    Scheduled,
    /// Waits for another job.
    Awaiting,
    /// Runs.
    Processing,
    /// Ran without an error.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Called off.
    Deleted,
}

impl StateName {
    /// All seven.
    pub const ALL: [Self; 7] = [
        Self::Enqueued,
        Self::Scheduled,
        Self::Awaiting,
        Self::Processing,
        Self::Succeeded,
        Self::Failed,
        Self::Deleted,
    ];

    /// The name as it is stored: lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueued => "enqueued",
            Self::Scheduled => "scheduled",
            Self::Awaiting => "awaiting",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
        }
    }

    /// The states into which a job in this one may move.
    #[must_use]
    pub const fn next(self) -> StateSet {
        match self {
            Self::Enqueued => Enqueued::NEXT,
            Self::Scheduled => Scheduled::NEXT,
            Self::Awaiting => Awaiting::NEXT,
            Self::Processing => Processing::NEXT,
            Self::Succeeded => Succeeded::NEXT,
            Self::Failed => Failed::NEXT,
            Self::Deleted => Deleted::NEXT,
        }
    }

    /// The states from which a job may move into this one.
    #[must_use]
    pub fn previous(self) -> StateSet {
        StateSet(Self::ALL.iter().filter(|from| from.next().contains(self)).map(|from| from.bit()).sum())
    }

    /// Whether a job in this state is done with: it succeeded or was deleted, and expires.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Deleted)
    }

    /// Whether a job in this state neither runs nor will run, unless someone requeues it.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Deleted)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StateName {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// The text is not the name of a state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a state: use enqueued, scheduled, awaiting, processing, succeeded, failed or deleted")]
pub struct UnknownState(String);

/// Some of the seven states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateSet(u8);

impl StateSet {
    /// Exactly these.
    #[must_use]
    pub const fn of(states: &[StateName]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < states.len() {
            bits |= states[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// Whether `state` is among them.
    #[must_use]
    pub const fn contains(self, state: StateName) -> bool {
        self.0 & state.bit() != 0
    }

    /// Those that are in the other set too.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The states in their usual order.
    pub fn iter(self) -> impl Iterator<Item = StateName> {
        StateName::ALL.into_iter().filter(move |state| self.contains(*state))
    }
}

#[cfg(test)]
mod tests {
    use super::StateName;

    /// The diagram in the documentation has an arrow for each move that the code allows, and no other.
    #[test]
    fn the_documented_diagram_shows_exactly_the_allowed_moves() {
        let documented: Vec<String> = include_str!("states.md")
            .lines()
            .filter_map(|line| line.trim().split_once(" --> "))
            .filter(|(from, _)| *from != "[*]")
            .map(|(from, to)| format!("{from} {}", to.split(':').next().unwrap_or_default().trim()))
            .filter(|arrow| !arrow.ends_with("[*]"))
            .collect();
        let mut allowed: Vec<String> = StateName::ALL
            .iter()
            .flat_map(|from| from.next().iter().map(move |to| format!("{from:?} {to:?}")))
            .collect();
        let mut documented = documented;
        documented.sort();
        allowed.sort();
        assert_eq!(documented, allowed);
    }

    #[test]
    fn previous_is_the_inverse_of_next() {
        for from in StateName::ALL {
            for to in StateName::ALL {
                assert_eq!(from.next().contains(to), to.previous().contains(from), "{from} -> {to}");
            }
        }
    }
}
