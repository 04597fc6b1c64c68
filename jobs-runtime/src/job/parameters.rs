use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    output::{MAX_DEPTH, depth},
    upgrade::VERSION,
};

/// How the names begin that this library uses itself.
const OWN: &str = "jobs.";

/// What is stored beside a job's arguments: values by name, as JSON.
///
/// Whoever creates a job, or a [filter](crate::filter), leaves here what those who handle it later are to know: who asked
/// for it, the language of a reader, the trace it belongs to. A handler finds them in its
/// [`JobContext`](crate::job::JobContext::parameter).
///
/// Names that begin with `jobs.` are this library's own.
///
/// ```
/// use jobs_runtime::job::Parameters;
///
/// # fn main() -> Result<(), jobs_runtime::job::ParameterError> {
/// let mut parameters = Parameters::new();
/// parameters.set("tenant", &7)?;
/// assert_eq!(parameters.get("tenant")?, Some(7));
/// assert_eq!(parameters.get::<String>("culture")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Parameters(Map<String, Value>);

impl Parameters {
    /// The longest that all parameters of a job may be together: 64 KiB of JSON.
    pub const MAX_LEN: usize = 64 * 1024;

    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of a call whose arguments are of a version.
    pub(crate) fn of_version(version: u32) -> Self {
        let mut parameters = Self::new();
        if version != 1 {
            parameters.0.insert(VERSION.to_owned(), version.into());
        }
        parameters
    }

    /// Takes those of another set in, in place of its own of the same names.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of that name, if there is one.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Type`] if it is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ParameterError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        T::deserialize(value)
            .map(Some)
            .map_err(|source| ParameterError::Type { name: name.to_owned(), source: source.into() })
    }

    /// Sets the value of that name, in place of one that was there.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Reserved`] if the name begins with `jobs.`, [`ParameterError::NotJson`] if the value can't be written
    /// as JSON, and [`ParameterError::TooLong`] or
    /// [`ParameterError::TooDeep`] if the parameters would be longer than [`MAX_LEN`](Self::MAX_LEN), or nested too deeply to be
    /// read back; then they are as they were.
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), ParameterError> {
        if name.starts_with(OWN) {
            return Err(ParameterError::Reserved { name: name.to_owned() });
        }
        let value = serde_json::to_value(value)
            .map_err(|source| ParameterError::NotJson { name: name.to_owned(), source: source.into() })?;
        let before = self.0.insert(name.to_owned(), value);
        let text = self.to_string();
        let (bytes, levels) = (text.len(), depth(&text));
        if bytes <= Self::MAX_LEN && levels <= MAX_DEPTH {
            return Ok(());
        }
        match before {
            Some(before) => self.0.insert(name.to_owned(), before),
            None => self.0.remove(name),
        };
        let name = name.to_owned();
        Err(if bytes > Self::MAX_LEN {
            ParameterError::TooLong { name, bytes }
        } else {
            ParameterError::TooDeep { name, levels }
        })
    }

    /// Removes the value of that name; returns whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// As they are stored; `None` if there is none.
    ///
    /// For storages; the text is read by [`stored`](Self::stored).
    #[must_use]
    pub fn to_stored(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.to_string())
    }

    /// Reads what [`to_stored`](Self::to_stored) wrote.
    ///
    /// # Errors
    ///
    /// If it is no JSON object.
    pub fn stored(text: Option<&str>) -> serde_json::Result<Self> {
        text.map_or_else(|| Ok(Self::new()), |text| serde_json::from_str(text).map(Self))
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

/// A job's parameter can't be read or set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The stored value is of another type.
    #[error("the job parameter `{name}` is not of the type asked for")]
    Type {
        /// Its name.
        name: String,
        /// What does not fit.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The name is one of this library's own.
    #[error("`{name}` is no name for a job parameter: those that begin with `{OWN}` are the library's own")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The value can't be written as JSON.
    #[error("the job parameter `{name}` can't be written as JSON")]
    NotJson {
        /// Its name.
        name: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It could not be read back.
    #[error(
        "the job parameter `{name}` would be {levels} levels deep, and {MAX_DEPTH} can be read back; make it flatter"
    )]
    TooDeep {
        /// Its name.
        name: String,
        /// How deep all parameters would be together.
        levels: usize,
    },
    /// Parameters are for little things.
    #[error(
        "with the job parameter `{name}` the parameters of the job would be {bytes} bytes of JSON, and {} are the most; \
         store the value elsewhere, and a reference to it here",
        Parameters::MAX_LEN
    )]
    TooLong {
        /// Its name.
        name: String,
        /// How long they would be.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::{ParameterError, Parameters};

    #[test]
    fn values_are_read_as_what_they_were() {
        let mut parameters = Parameters::new();
        parameters.set("tenant", &u64::MAX).expect("fits");
        parameters.set("tags", &["a", "b"]).expect("fits");
        let stored = Parameters::stored(parameters.to_stored().as_deref()).expect("JSON");
        assert_eq!(stored, parameters);
        assert_eq!(stored.get("tenant").expect("a number"), Some(u64::MAX));
        assert_eq!(stored.get("tags").expect("texts"), Some(vec!["a".to_owned(), "b".to_owned()]));
        let error = stored.get::<u8>("tags").expect_err("no number");
        assert_eq!(error.to_string(), "the job parameter `tags` is not of the type asked for");
    }

    #[test]
    fn the_names_of_the_library_are_not_for_others() {
        let mut parameters = Parameters::of_version(2);
        let error = parameters.set("jobs.version", &1).expect_err("its own");
        assert!(matches!(error, ParameterError::Reserved { .. }), "{error}");
        assert_eq!(parameters.to_string(), r#"{"jobs.version":2}"#);
    }

    #[test]
    fn none_are_stored_as_nothing() {
        let mut parameters = Parameters::stored(None).expect("none");
        assert_eq!(parameters.to_stored(), None);
        parameters.set("a", &1).expect("fits");
        assert!(parameters.remove("a") && !parameters.remove("a"));
        assert_eq!(parameters.to_stored(), None);
    }

    #[test]
    fn what_is_too_long_changes_nothing() {
        let mut parameters = Parameters::new();
        parameters.set("a", &1).expect("fits");
        let long = "x".repeat(Parameters::MAX_LEN);
        for name in ["a", "b"] {
            let error = parameters.set(name, &long).expect_err("too long");
            assert!(matches!(error, ParameterError::TooLong { .. }), "{error}");
        }
        let mut deep = serde_json::Value::Null;
        for _ in 0..200 {
            deep = serde_json::Value::Array(vec![deep]);
        }
        let error = parameters.set("b", &deep).expect_err("too deep");
        assert!(matches!(error, ParameterError::TooDeep { .. }), "{error}");
        assert_eq!(parameters.to_string(), r#"{"a":1}"#);
    }
}
