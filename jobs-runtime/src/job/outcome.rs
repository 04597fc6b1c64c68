use std::error::Error as StdError;

use serde::{Serialize, de::DeserializeOwned};

use super::JobError;

/// What a `#[job]` function may return: nothing, a value, or a `Result` of either.
///
/// The value is stored as JSON, so it must be `Serialize` and `Deserialize`. The error may be any
/// `std::error::Error`, `anyhow::Error`, `Box<dyn Error + Send + Sync>`, `String` or [`JobError`].
#[diagnostic::on_unimplemented(
    message = "a job can't return `{Self}`",
    label = "not a result that a job can have",
    note = "return `Result<T, E>`, where `T` implements `Serialize` and `Deserialize` and `E` is an error type"
)]
pub trait JobReturn {
    /// The value of a successful run.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Splits the returned value into success and failure.
    ///
    /// # Errors
    ///
    /// The job's own error.
    fn into_result(self) -> Result<Self::Output, JobError>;
}

impl<T, E> JobReturn for Result<T, E>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    E: Into<Box<dyn StdError + Send + Sync>> + 'static,
{
    type Output = T;

    fn into_result(self) -> Result<T, JobError> {
        self.map_err(JobError::from_error)
    }
}
