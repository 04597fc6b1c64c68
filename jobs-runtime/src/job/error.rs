use std::{error::Error as StdError, fmt, time::Duration};

use serde::{Deserialize, Serialize};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a run did not succeed, and what should happen next.
///
/// An ordinary error is retried by the job's [`RetryPolicy`](crate::job::RetryPolicy). A handler that knows
/// better returns one of these, alone or wrapped in any error that keeps it as a source (`anyhow::Error` does):
///
/// ```
/// # use std::time::Duration;
/// use jobs_runtime::prelude::*;
///
/// #[job]
/// async fn charge(order: u64, attempt_at_night: bool) -> Result<(), JobError> {
///     if order == 0 {
///         return Err(JobError::permanent("there is no order 0"));
///     }
///     if attempt_at_night {
///         return Err(JobError::snooze(Duration::from_secs(8 * 3600)));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct JobError {
    wish: Wish,
    failure: Failure,
}

/// What a handler asks for, as the first source of a [`JobError`]: so it is found also in wrappers, such as
/// `anyhow::Error`, that hide the type of what they wrap but not its sources.
#[derive(Debug)]
struct Wish {
    control: Control,
    source: Option<BoxError>,
}

/// What a handler asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Control {
    Retry,
    RetryAfter(Duration),
    Permanent,
    Cancel,
    Snooze(Duration),
}

impl JobError {
    /// An ordinary error: the run failed and is retried by the job's policy.
    pub fn new<E: Into<BoxError> + 'static>(error: E) -> Self {
        Self::with(Control::Retry, error)
    }

    /// The run failed and no retry can help: the job becomes Failed.
    pub fn permanent<E: Into<BoxError> + 'static>(error: E) -> Self {
        Self::with(Control::Permanent, error)
    }

    /// The run failed and is retried after `delay` instead of the policy's time; it counts as an attempt.
    pub fn retry_after<E: Into<BoxError> + 'static>(delay: Duration, error: E) -> Self {
        Self::with(Control::RetryAfter(delay), error)
    }

    /// The job has become pointless: it becomes Deleted, with this reason.
    pub fn cancel(reason: impl Into<String>) -> Self {
        Self::with(Control::Cancel, reason.into())
    }

    /// Not now: the job runs again after `delay`, and this run does not count as an attempt.
    #[must_use]
    pub fn snooze(delay: Duration) -> Self {
        Self::with(Control::Snooze(delay), format!("snoozed for {delay:?}"))
    }

    /// An error that wraps one of these keeps what it asks for; any other is an ordinary one.
    pub(crate) fn from_error<E: Into<BoxError> + 'static>(error: E) -> Self {
        let type_name = std::any::type_name::<E>();
        match error.into().downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::from_box(Control::Retry, type_name, error),
        }
    }

    /// A run that took too long.
    pub(crate) fn timed_out(limit: Duration) -> Self {
        let failure = Failure::new("timeout", format!("timed out after {limit:?}"));
        Self { wish: Wish { control: Control::Retry, source: None }, failure }
    }

    /// The same, as the error of what was to make arguments of the next version.
    pub(crate) fn in_upgrade(mut self, version: u32) -> Self {
        self.failure.message =
            format!("the stored arguments of version {version} can't be upgraded: {}", self.failure.message);
        self
    }

    /// The same, as the error of a filter.
    pub(crate) fn in_filter(mut self, filter: &str) -> Self {
        self.failure.message = format!("filter {filter} failed: {}", self.failure.message);
        self
    }

    /// The same, but for good, if it would be retried.
    pub(crate) fn not_retried(mut self) -> Self {
        if matches!(self.wish.control, Control::Retry) {
            self.wish.control = Control::Permanent;
        }
        self
    }

    /// Whether it is a failure, and not a wish to cancel or snooze the job.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self.wish.control, Control::Cancel | Control::Snooze(_))
    }

    /// Whether it calls the job off, as [`cancel`](Self::cancel) does.
    #[must_use]
    pub fn is_cancel(&self) -> bool {
        self.wish.control == Control::Cancel
    }

    /// What is stored of it.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The error of a run that panicked.
    pub(crate) fn panic(message: String, trace: Option<String>) -> Self {
        let failure = Failure { error_type: "panic".to_owned(), message, trace };
        Self { wish: Wish { control: Control::Retry, source: None }, failure }
    }

    fn with<E: Into<BoxError> + 'static>(control: Control, error: E) -> Self {
        Self::from_box(control, std::any::type_name::<E>(), error.into())
    }

    fn from_box(control: Control, type_name: &str, error: BoxError) -> Self {
        let wrapped = inner_control(&*error);
        let control = if control == Control::Retry { wrapped.unwrap_or(control) } else { control };
        let failure = Failure { error_type: type_name.to_owned(), message: error.to_string(), trace: chain(&*error) };
        Self { wish: Wish { control, source: Some(error) }, failure }
    }

    pub(crate) fn control(&self) -> Control {
        self.wish.control
    }

    pub(crate) fn into_failure(self) -> Failure {
        self.failure
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.message)
    }
}

impl StdError for JobError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.wish)
    }
}

impl StdError for Wish {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.control {
            Control::Retry => f.write_str("the job is retried by its policy"),
            Control::RetryAfter(delay) => write!(f, "the job is retried after {delay:?}"),
            Control::Permanent => f.write_str("the job is not retried"),
            Control::Cancel => f.write_str("the job is canceled"),
            Control::Snooze(delay) => write!(f, "the job is snoozed for {delay:?}"),
        }
    }
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&source| source.source())
}

fn inner_control(error: &(dyn StdError + 'static)) -> Option<Control> {
    sources(error).find_map(|source| source.downcast_ref::<Wish>()).map(|wish| wish.control)
}

/// The error's sources, a line each, or `None` if it has none.
fn chain(error: &(dyn StdError + 'static)) -> Option<String> {
    let lines: Vec<String> =
        sources(error).filter(|source| !source.is::<Wish>()).map(|source| format!("caused by: {source}")).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A failure as it is stored and shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The error's Rust type, or `panic`, or `timeout`.
    pub error_type: String,
    /// The error's message.
    pub message: String,
    /// The error's sources, or where the panic came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Failure {
    /// The longest message or trace that is stored, in bytes; what is longer is cut.
    pub const MAX_LEN: usize = 16 * 1024;

    /// A failure of this type with this message.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), message: message.into(), trace: None }
    }

    /// The same with message and trace cut to [`MAX_LEN`](Self::MAX_LEN).
    pub(crate) fn bounded(mut self) -> Self {
        cut(&mut self.message);
        if let Some(trace) = &mut self.trace {
            cut(trace);
        }
        self
    }
}

fn cut(text: &mut String) {
    if text.len() > Failure::MAX_LEN {
        text.truncate(text.floor_char_boundary(Failure::MAX_LEN));
        text.push_str(" … (cut)");
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::{Control, Failure, JobError};

    #[derive(Debug, thiserror::Error)]
    #[error("mailing failed")]
    struct MailError(#[source] io::Error);

    #[test]
    fn an_ordinary_error_keeps_type_message_and_sources() {
        let error = JobError::from_error(MailError(io::Error::other("connection reset")));
        assert_eq!(error.control(), Control::Retry);
        let failure = error.into_failure();
        assert!(failure.error_type.ends_with("MailError"), "{failure:?}");
        assert_eq!(failure.message, "mailing failed");
        assert_eq!(failure.trace.as_deref(), Some("caused by: connection reset"));
    }

    #[test]
    fn what_a_handler_asks_for_survives_wrapping() {
        let snooze = || JobError::snooze(Duration::from_secs(3));
        let expected = Control::Snooze(Duration::from_secs(3));
        assert_eq!(JobError::from_error(snooze()).control(), expected);
        let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(snooze());
        assert_eq!(JobError::from_error(boxed).control(), expected);
        assert_eq!(JobError::from_error(anyhow::Error::new(snooze())).control(), expected);
        let deep = anyhow::Error::new(snooze()).context("while charging").context("for order 7");
        assert_eq!(JobError::from_error(deep).control(), expected);
        assert_eq!(JobError::from_error(io::Error::other(snooze())).control(), expected);
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let failure = Failure::new("t", "ü".repeat(Failure::MAX_LEN)).bounded();
        assert!(failure.message.len() < Failure::MAX_LEN + 20 && failure.message.ends_with("(cut)"));
    }
}
