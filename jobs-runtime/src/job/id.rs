use std::{fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::clock::Timestamp;

/// The identity of one stored job: a UUID version 7, made by the client.
///
/// Because the client makes it, storing the same job twice (say, after a lost reply) stores it once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

/// Keeps ids of one process in the order in which they were made, also within a millisecond.
static CONTEXT: LazyLock<std::sync::Mutex<ContextV7>> = LazyLock::new(Default::default);

impl JobId {
    /// A new id that sorts after all ids this process made for earlier moments.
    #[must_use]
    pub fn generate(now: Timestamp) -> Self {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let context = CONTEXT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self(Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos())))
    }

    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The sixteen bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({self})")
    }
}

impl From<Uuid> for JobId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl From<JobId> for Uuid {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl FromStr for JobId {
    type Err = ParseJobIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|source| ParseJobIdError { text: text.to_owned(), source })
    }
}

/// The text is not a job id.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a job id: {source}")]
pub struct ParseJobIdError {
    text: String,
    source: uuid::Error,
}

#[cfg(test)]
mod tests {
    use super::JobId;
    use crate::clock::Timestamp;

    #[test]
    fn ids_of_one_moment_sort_in_the_order_of_their_making() {
        let ids: Vec<JobId> = (0..1_000).map(|_| JobId::generate(Timestamp::UNIX_EPOCH)).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = JobId::generate(Timestamp::UNIX_EPOCH);
        assert_eq!(id.to_string().parse::<JobId>().expect("an id"), id);
        assert!("42".parse::<JobId>().expect_err("too short").to_string().contains("`42`"));
    }
}
