use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a queue: lower-case letters, digits, `_` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(Cow<'static, str>);

impl QueueName {
    /// The queue of jobs that name none.
    pub const DEFAULT: Self = Self(Cow::Borrowed("default"));

    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 100;

    /// A name known when the program is compiled.
    ///
    /// # Panics
    ///
    /// If it is not a queue name; in a constant that is a compile error.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(Self::checked(name)))
    }

    pub(super) const fn checked(name: &'static str) -> &'static str {
        assert!(is_valid(name), "a queue name is 1 to 100 of `a-z`, `0-9`, `_` and `-`");
        name
    }

    /// A name from a text.
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`] unless the text is 1 to 100 characters of `a-z`, `0-9`, `_` and `-`.
    ///
    /// ```
    /// # use jobs_runtime::job::QueueName;
    /// assert_eq!(QueueName::new("mail")?.as_str(), "mail");
    /// assert!(QueueName::new("Mail!").is_err());
    /// # Ok::<(), jobs_runtime::job::InvalidQueueName>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidQueueName> {
        let name = name.into();
        if is_valid(&name) { Ok(Self(name.into())) } else { Err(InvalidQueueName { name }) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name read back from a storage, which had been checked when it was written.
    pub(crate) fn stored(name: String) -> Self {
        if name == Self::DEFAULT.as_str() { Self::DEFAULT } else { Self(name.into()) }
    }
}

const fn is_valid(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= QueueName::MAX_LEN
}

impl Default for QueueName {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl FromStr for QueueName {
    type Err = InvalidQueueName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for QueueName {
    type Error = InvalidQueueName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<&str> for QueueName {
    type Error = InvalidQueueName;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<QueueName> for String {
    fn from(name: QueueName) -> Self {
        name.0.into_owned()
    }
}

/// The text is not the name of a queue.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid queue name `{name}`: use 1 to {max} characters of `a-z`, `0-9`, `_` and `-`", max = QueueName::MAX_LEN)]
pub struct InvalidQueueName {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::QueueName;

    #[test]
    fn names_outside_the_alphabet_are_refused_with_the_name() {
        for name in ["", "Mail", "a b", "mail!", "ünï", "a.b", &"q".repeat(101)] {
            let error = QueueName::new(name).expect_err(name);
            assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        }
        for name in ["default", "a", "0", "_-", &"q".repeat(100)] {
            assert!(QueueName::new(name).is_ok(), "{name}");
        }
    }
}
