use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

use super::{Job, JobName};

/// One stored call: the job's name and its arguments as JSON.
///
/// [`Enqueue`](crate::client::Enqueue) makes it from a typed job. A program that doesn't have the job's type,
/// because the job is performed by another one, makes it by hand:
///
/// ```
/// use jobs_runtime::job::{Invocation, JobName};
///
/// let call = Invocation::new(
///     JobName::new("my_app", "send_welcome"),
///     &serde_json::json!({ "user_id": 42, "email": "ada@example.org" }),
/// )?;
/// assert_eq!(call.to_string(), r#"my_app.send_welcome {"email":"ada@example.org","user_id":42}"#);
/// # Ok::<(), jobs_runtime::job::ArgumentsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Invocation {
    name: JobName,
    arguments: Box<RawValue>,
    version: u32,
}

impl Invocation {
    /// A call of the job `name` with `arguments`, which must serialize to what that job deserializes from:
    /// for a `#[job]` function, an object with one field an argument.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] if the arguments can't be written as JSON.
    pub fn new<T: Serialize + ?Sized>(name: JobName, arguments: &T) -> Result<Self, ArgumentsError> {
        match to_raw_value(arguments) {
            Ok(arguments) => Ok(Self { name, arguments, version: 1 }),
            Err(source) => Err(ArgumentsError::Serialize { name, source }),
        }
    }

    /// The typed call as it will be stored.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] if the arguments can't be written as JSON.
    pub fn of<J: Job>(job: &J) -> Result<Self, ArgumentsError> {
        Ok(Self::new(J::NAME, job)?.with_version(J::VERSION))
    }

    /// A call read back from a storage; arguments that aren't JSON any more are refused with their text.
    pub(crate) fn stored(name: JobName, arguments: String) -> Result<Self, ArgumentsError> {
        match RawValue::from_string(arguments.clone()) {
            Ok(arguments) => Ok(Self { name, arguments, version: 1 }),
            Err(source) => Err(ArgumentsError::deserialize(name, arguments, source)),
        }
    }

    /// The name of the job that is called.
    #[must_use]
    pub fn name(&self) -> &JobName {
        &self.name
    }

    /// The arguments as JSON text.
    #[must_use]
    pub fn arguments(&self) -> &str {
        self.arguments.get()
    }

    /// The version of the job's arguments that these are; see [`Job::VERSION`].
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The same as arguments of another version.
    #[must_use]
    pub fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Reads the arguments as `T`.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] with the field that did not fit and the stored JSON, of which its message has the beginning.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ArgumentsError> {
        serde_json::from_str(self.arguments())
            .map_err(|source| ArgumentsError::deserialize(self.name.clone(), self.arguments().to_owned(), source))
    }
}

impl std::fmt::Display for Invocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.arguments())
    }
}

/// A job's arguments could not be written to or read from JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// The arguments can't be written as JSON.
    #[error("the arguments of job `{name}` can't be written as JSON: {source}")]
    Serialize {
        /// The job.
        name: JobName,
        /// What serde said.
        source: serde_json::Error,
    },
    /// The stored arguments no longer fit the job's type.
    #[error(
        "the stored arguments of job `{name}` don't fit its parameters{at}: {source}; stored: {stored}",
        at = at_field(.field), source = cut(.source.to_string()), stored = cut(.stored.clone())
    )]
    Deserialize {
        /// The job.
        name: JobName,
        /// The argument that did not fit, where it can be told.
        field: Option<String>,
        /// The stored JSON, whole; the message has its beginning.
        stored: String,
        /// What serde said.
        source: serde_json::Error,
    },
}

impl ArgumentsError {
    fn deserialize(name: JobName, stored: String, source: serde_json::Error) -> Self {
        Self::Deserialize { name, field: field_at(&stored, &source), stored, source }
    }
}

/// A message goes into logs and into the job's history, so what is long is cut in it.
fn cut(mut text: String) -> String {
    const MAX_LEN: usize = 2 * 1024;
    if text.len() > MAX_LEN {
        let len = text.len();
        text.truncate(text.floor_char_boundary(MAX_LEN));
        text.push_str(&format!("… (cut, {len} bytes in all)"));
    }
    text
}

fn at_field(field: &Option<String>) -> String {
    field.as_ref().map_or_else(String::new, |field| format!(" at `{field}`"))
}

/// The argument in which a type error lies: the last key that the outermost object opened before it.
///
/// serde_json tells a line and a column only. An error about a missing or unknown field names it already.
fn field_at(stored: &str, error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    if !error.is_data() || message.starts_with("missing field") || message.starts_with("unknown field") {
        return None;
    }
    let lines_before: usize = stored.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    last_outer_key(stored.as_bytes().get(..lines_before + error.column())?)
}

/// The last key of the outermost object in the beginning of a JSON text.
fn last_outer_key(json: &[u8]) -> Option<String> {
    let (mut depth, mut string_start, mut escaped) = (0, None, false);
    let (mut last_string, mut key) = (None, None);
    for (at, byte) in json.iter().enumerate() {
        match (byte, string_start) {
            (_, Some(_)) if escaped => escaped = false,
            (b'\\', Some(_)) => escaped = true,
            (b'"', Some(start)) => (last_string, string_start) = (Some(start..=at), None),
            (_, Some(_)) => {}
            (b'"', None) => string_start = Some(at),
            (b'{' | b'[', None) => depth += 1,
            (b'}' | b']', None) => depth -= 1,
            (b':', None) if depth == 1 => key = last_string.clone(),
            _ => {}
        }
    }
    serde_json::from_slice(&json[key?]).ok()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{ArgumentsError, Invocation, JobName};

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read to see whether it can be")]
    struct Arguments {
        user_id: i64,
        tags: Vec<String>,
    }

    fn read(stored: &str) -> ArgumentsError {
        let call = Invocation::stored(JobName::new("app", "tag"), stored.to_owned()).expect("JSON");
        call.parse::<Arguments>().expect_err("does not fit")
    }

    #[test]
    fn an_error_names_the_field_and_keeps_the_stored_json() {
        let stored = r#"{"user_id": "forty-two", "tags": []}"#;
        let message = read(stored).to_string();
        assert!(message.contains("`app.tag`") && message.contains("at `user_id`"), "{message}");
        assert!(message.ends_with(&format!("stored: {stored}")), "{message}");
    }

    #[test]
    fn a_nested_error_names_the_argument_it_is_in() {
        let message = read(r#"{"user_id": 1, "tags": ["user_id", {"user_id": 2}]}"#).to_string();
        assert!(message.contains("at `tags`"), "{message}");
    }

    #[test]
    fn a_long_text_is_cut_in_the_message_and_whole_in_the_error() {
        let stored = format!(r#"{{"user_id": "{}"}}"#, "ü".repeat(100_000));
        let error = read(&stored);
        let message = error.to_string();
        assert!(message.len() < 5_000 && message.ends_with("(cut, 200015 bytes in all)"), "{message}");
        assert!(matches!(error, ArgumentsError::Deserialize { stored: whole, .. } if whole == stored));
    }

    #[test]
    fn a_missing_field_is_named_once() {
        let message = read(r#"{"user_id": 1}"#).to_string();
        assert!(message.contains("missing field `tags`") && !message.contains(" at `"), "{message}");
    }

    #[test]
    fn stored_text_that_is_no_json_is_refused_with_the_text() {
        let error = Invocation::stored(JobName::new("app", "tag"), "{oops".to_owned()).expect_err("no JSON");
        assert!(error.to_string().ends_with("stored: {oops"), "{error}");
    }
}
