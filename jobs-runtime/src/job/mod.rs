//! What a job is: its name, its arguments, its settings, and the code that performs it.

mod context;
mod data;
mod error;
mod handler;
mod id;
mod inject;
mod invocation;
mod name;
mod output;
mod panics;
mod parameters;
mod queue;
mod registry;
mod retry;
mod run_transaction;
mod schedule_id;
mod settings;
mod signature;
mod upgrade;

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

pub(crate) use self::{
    context::ContextParts,
    data::DataMap,
    error::Control,
    panics::{CatchPanic, blocking, install_hook, panic_message},
    registry::{RegisteredHandler, Registry},
    run_transaction::{Left, RunTransaction},
};
pub use self::{
    context::JobContext,
    data::Data,
    error::{Failure, JobError},
    handler::{HandlerDescriptor, Location, Output},
    id::{JobId, ParseJobIdError},
    inject::{FromContext, Requirements},
    invocation::{ArgumentsError, Invocation},
    name::{InvalidJobName, JobName},
    output::{JobOutput, ResultTooLarge},
    parameters::{ParameterError, Parameters},
    queue::{InvalidQueueName, QueueName},
    retry::{Backoff, DelayFn, OnExceeded, RetryPolicy},
    schedule_id::{InvalidScheduleId, Recurrence, ScheduleId},
    settings::{JobRetention, JobSettings},
    signature::ArgumentSignature,
    upgrade::{Upgrade, upgrade},
};

/// A job: a serializable value that holds the arguments of one call, and the code that performs the call.
///
/// [`#[job]`](macro@crate::job) writes this from a function. By hand it is as much as this:
///
/// ```
/// use jobs_runtime::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Add {
///     a: i64,
///     b: i64,
/// }
///
/// impl Job for Add {
///     type Output = i64;
///     const NAME: JobName = JobName::new("calculator", "add");
///
///     async fn perform(self, _cx: JobContext) -> Result<i64, JobError> {
///         Ok(self.a + self.b)
///     }
/// }
/// ```
///
/// A server learns of it by [`register`](crate::server::JobServerBuilder::register).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "this type does not implement `Job`",
    note = "annotate a function with `#[job]` and use the struct it generates, or implement `Job` by hand"
)]
pub trait Job: Serialize + DeserializeOwned + Send + Sized + 'static {
    /// What a successful run returns; stored as JSON and read back by
    /// [`JobHandle::wait`](crate::client::JobHandle::wait).
    type Output: JobOutput;

    /// The name under which calls of this job are stored.
    const NAME: JobName;

    /// Earlier names: what was stored under one of them is performed by this job too.
    const ALIASES: &'static [JobName] = &[];

    /// Queue, priority, retries and timeout for calls that do not choose their own.
    const SETTINGS: JobSettings = JobSettings::DEFAULT;

    /// Which version of its arguments these are; 1 for those that never changed in a way that stored calls don't fit.
    const VERSION: u32 = 1;

    /// What makes them of the versions before.
    const UPGRADES: &'static [Upgrade] = &[];

    /// The arguments as they stand in the source, in order; `None` if that is not known.
    const ARGUMENTS: Option<&'static [ArgumentSignature]> = None;

    /// Where the job stands in the source, for messages about it.
    const LOCATION: Option<Location> = None;

    /// Lists what [`perform`](Job::perform) takes from its context, so that a server can check at its start
    /// that all of it is there.
    fn requirements(_requirements: &mut Requirements) {}

    /// Runs the job once.
    fn perform(self, cx: JobContext) -> impl Future<Output = Result<Self::Output, JobError>> + Send;
}
