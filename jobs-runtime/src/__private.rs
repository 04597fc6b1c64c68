//! What generated code names. Not part of the public API: it may change with any version.

use std::{error::Error as StdError, marker::PhantomData};

pub use inventory;
pub use serde;
use serde::{Serialize, de::DeserializeOwned};

pub use crate::{
    client::{Enqueue, blocking},
    filter::{DeclaredFilters, FilterDescriptor},
    job::{
        ArgumentSignature, ArgumentsError, Data, FromContext, HandlerDescriptor, Invocation, Job, JobContext, JobError,
        JobName, JobRetention, JobSettings, Location, OnExceeded, Requirements, RetryPolicy, Upgrade, upgrade,
    },
    schedule::{CronSchedule, Misfire, Overlap, RecurringDescriptor},
};

/// What can be an argument of a job.
#[diagnostic::on_unimplemented(
    message = "a job can't store an argument of type `{Self}`",
    label = "an argument must implement `Serialize`, `Deserialize` and `Send`, and own its values",
    note = "derive both for a type of your own: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "what the server is to supply is written as `Data<T>`, or marked `#[inject]`"
)]
pub trait Argument {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Argument for T {}

/// Compiles if `T` can be an argument.
pub const fn assert_argument<T: Argument>() {}

/// A job's error.
#[diagnostic::on_unimplemented(
    message = "a job can't fail with `{Self}`",
    label = "not an error that a job can have",
    note = "an error implements `std::error::Error + Send + Sync + 'static`, or is `anyhow::Error`, `String` or `JobError`"
)]
pub trait Failing {
    /// What becomes of the job.
    fn into_job_error(self) -> JobError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn StdError + Send + Sync>> + 'static> Failing for E {
    fn into_job_error(self) -> JobError {
        JobError::from_error(self)
    }
}

/// The two types of a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is named like a `Result`, but is none",
    label = "not a `Result`",
    note = "a job whose return type is named `…Result` returns a `Result`: rename the type, or return `Result<{Self}, Infallible>`"
)]
pub trait ResultParts {
    /// The type of success.
    type Value;
    /// The type of failure.
    type Error;

    /// The same as the standard library's type.
    fn into_std(self) -> Result<Self::Value, Self::Error>;
}

impl<T, E> ResultParts for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_std(self) -> Self {
        self
    }
}

/// What a run comes to, when the function returned `result`.
pub fn into_result<R>(result: R) -> Result<R::Value, JobError>
where
    R: ResultParts<Error: Failing>,
{
    result.into_std().map_err(Failing::into_job_error)
}

/// The same for a job that is retried only after the errors that `when` says.
pub fn into_result_when<R>(result: R, when: impl FnOnce(&R::Error) -> bool) -> Result<R::Value, JobError>
where
    R: ResultParts<Error: Failing>,
{
    result.into_std().map_err(|error| {
        let may_be_retried = when(&error);
        let error = error.into_job_error();
        if may_be_retried { error } else { error.not_retried() }
    })
}

/// Tells whether `T` is a `Result`, whatever its name.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// It is one.
    pub const IS_RESULT: bool = true;
}

/// The answer for all types that have no better one.
pub trait NotResult {
    /// It is none.
    const IS_RESULT: bool = false;
}

impl<T> NotResult for Probe<T> {}
