use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The stored name of a job: a type and a method, as in Hangfire.
///
/// For a function the type is its package (`my_app`), for a method it is package and type
/// (`my_app::EmailService`). Module paths are not part of it, so code can move without orphaning stored jobs.
/// It is written `type.method`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct JobName {
    #[serde(rename = "type")]
    type_name: Cow<'static, str>,
    method: Cow<'static, str>,
}

impl JobName {
    /// The longest type or method, in bytes.
    pub const MAX_LEN: usize = 200;

    /// A name known when the program is compiled.
    ///
    /// # Panics
    ///
    /// If either part is empty or longer than [`MAX_LEN`](Self::MAX_LEN); in a constant that is a compile error.
    #[must_use]
    pub const fn new(type_name: &'static str, method: &'static str) -> Self {
        assert!(!type_name.is_empty() && !method.is_empty(), "a job's type and method must not be empty");
        assert!(
            type_name.len() <= Self::MAX_LEN && method.len() <= Self::MAX_LEN,
            "a job's type and method must not be longer than 200 bytes"
        );
        Self { type_name: Cow::Borrowed(type_name), method: Cow::Borrowed(method) }
    }

    /// A name from two texts that came from outside.
    ///
    /// # Errors
    ///
    /// [`InvalidJobName`] if either part is empty or longer than [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn from_parts(type_name: impl Into<String>, method: impl Into<String>) -> Result<Self, InvalidJobName> {
        let (type_name, method) = (type_name.into(), method.into());
        let fits = |part: &str| (1..=Self::MAX_LEN).contains(&part.len());
        if fits(&type_name) && fits(&method) {
            Ok(Self { type_name: type_name.into(), method: method.into() })
        } else {
            Err(InvalidJobName(format!("{type_name}.{method}")))
        }
    }

    /// The type: a package, or a package and a type.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The method: the function's name.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// A name read back from a storage, which had been checked when it was written.
    pub(crate) fn stored(type_name: String, method: String) -> Self {
        Self { type_name: type_name.into(), method: method.into() }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.type_name, self.method)
    }
}

impl FromStr for JobName {
    type Err = InvalidJobName;

    /// Reads `type.method`, split at the last dot.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (type_name, method) = text.rsplit_once('.').ok_or_else(|| InvalidJobName(text.to_owned()))?;
        Self::from_parts(type_name, method)
    }
}

/// The text is not the name of a job.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a job name: write `type.method`, each part of 1 to {max} bytes", max = JobName::MAX_LEN)]
pub struct InvalidJobName(String);

#[cfg(test)]
mod tests {
    use super::JobName;

    #[test]
    fn a_name_is_split_at_its_last_dot() {
        let name: JobName = "my.app::Mailer.send".parse().expect("a name");
        assert_eq!((name.type_name(), name.method()), ("my.app::Mailer", "send"));
        assert_eq!(name.to_string(), "my.app::Mailer.send");
    }

    #[test]
    fn a_name_without_two_parts_is_refused() {
        for text in ["", "send", ".send", "app."] {
            assert!(text.parse::<JobName>().is_err(), "{text:?}");
        }
    }
}
