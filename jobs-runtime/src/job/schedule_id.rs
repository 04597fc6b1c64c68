use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The name of a schedule, by which it is found again: 1 to 200 characters.
///
/// ```
/// use jobs_runtime::schedule::ScheduleId;
///
/// assert_eq!(ScheduleId::new("digest:Shanghai")?.as_str(), "digest:Shanghai");
/// assert_eq!(
///     ScheduleId::new(" digest").unwrap_err().to_string(),
///     "invalid schedule id ` digest`: it begins or ends with a blank"
/// );
/// # Ok::<(), jobs_runtime::schedule::InvalidScheduleId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScheduleId(Cow<'static, str>);

impl ScheduleId {
    /// The longest id, in characters.
    pub const MAX_LEN: usize = 200;

    /// An id from a text.
    ///
    /// # Errors
    ///
    /// [`InvalidScheduleId`] unless the text has 1 to 200 characters, none of them a control character, and no blank at
    /// its beginning or end.
    pub fn new(id: impl Into<Cow<'static, str>>) -> Result<Self, InvalidScheduleId> {
        let id = id.into();
        match fault(&id) {
            None => Ok(Self(id)),
            Some(fault) => Err(InvalidScheduleId { id: id.into_owned(), fault }),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id read back from a storage, which had been checked when it was written.
    pub(crate) fn stored(id: String) -> Self {
        Self(id.into())
    }
}

/// What is wrong with an id, if anything is.
fn fault(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        return Some("it is empty");
    }
    if id.trim() != id {
        return Some("it begins or ends with a blank");
    }
    if id.chars().any(char::is_control) {
        return Some("it has a control character, such as a line break");
    }
    (id.chars().count() > ScheduleId::MAX_LEN).then_some("it has more than 200 characters")
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl AsRef<str> for ScheduleId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for ScheduleId {
    type Err = InvalidScheduleId;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::new(id.to_owned())
    }
}

impl TryFrom<String> for ScheduleId {
    type Error = InvalidScheduleId;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id)
    }
}

impl From<ScheduleId> for String {
    fn from(id: ScheduleId) -> Self {
        id.0.into_owned()
    }
}

/// The text can't be the id of a schedule.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid schedule id `{}`: {fault}", .id.escape_debug())]
pub struct InvalidScheduleId {
    id: String,
    fault: &'static str,
}

/// Where a job comes from that a schedule made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Recurrence {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The slot it was made for; `None` if it was triggered by hand.
    pub slot: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::ScheduleId;

    #[test]
    fn what_can_be_no_id_is_refused_with_the_reason() {
        for (id, reason) in [
            (String::new(), "it is empty"),
            (" a".to_owned(), "it begins or ends with a blank"),
            ("a\n".to_owned(), "it begins or ends with a blank"),
            ("a\u{0}b".to_owned(), "it has a control character"),
            ("ü".repeat(201), "it has more than 200 characters"),
        ] {
            let error = ScheduleId::new(id.clone()).expect_err(&id).to_string();
            assert!(error.contains(reason), "{error}");
        }
        for id in ["a", "my_app.digest", "digest:eu west/1", &"ü".repeat(200)] {
            assert_eq!(id.parse::<ScheduleId>().expect(id).as_ref(), id);
        }
    }
}
