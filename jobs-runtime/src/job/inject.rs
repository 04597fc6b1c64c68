use std::{
    any::{TypeId, type_name},
    future::Future,
};

use tokio_util::sync::CancellationToken;

use super::{Data, JobContext, JobError};

/// A parameter that the server supplies instead of the stored arguments.
///
/// [`JobContext`], [`Data<T>`], [`CancellationToken`] and `JobTx<DB>` are recognised by their names; a parameter of any
/// other type that implements this is marked `#[inject]`.
///
/// ```
/// use jobs_runtime::prelude::*;
///
/// struct Tenant(String);
///
/// impl FromContext for Tenant {
///     async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
///         Ok(Tenant(cx.queue().to_string()))
///     }
/// }
///
/// #[job]
/// async fn bill(#[inject] tenant: Tenant, month: u32) {
///     println!("billing {} for month {month}", tenant.0);
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a job can't be given a `{Self}`",
    label = "this type does not implement `FromContext`",
    note = "remove `#[inject]` to make it a stored argument, take it as `Data<{Self}>`, or implement `FromContext`"
)]
pub trait FromContext: Sized {
    /// Makes the value for one run of a job. An error fails that run, like one of the job's own.
    fn from_context(cx: &JobContext) -> impl Future<Output = Result<Self, JobError>> + Send;

    /// Lists what [`from_context`](FromContext::from_context) needs of the server, for the check at its start.
    fn requirements(_requirements: &mut Requirements) {}
}

impl FromContext for JobContext {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        Ok(cx.clone())
    }
}

impl FromContext for CancellationToken {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        Ok(cx.cancellation_token())
    }
}

impl<T: Send + Sync + 'static> FromContext for Data<T> {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        cx.data().ok_or_else(|| JobError::permanent(MissingData(type_name::<T>())))
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.data::<T>();
    }
}

/// What a handler needs of the server that runs it.
#[derive(Debug, Default)]
pub struct Requirements {
    data: Vec<(TypeId, &'static str)>,
    /// The names of databases.
    transactions: Vec<&'static str>,
}

impl Requirements {
    /// The server must share a value of type `T` by
    /// [`data`](crate::server::JobServerBuilder::data).
    pub fn data<T: 'static>(&mut self) {
        self.data.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// The server's storage must be in this database: the handler writes in transactions of it.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn transactions(&mut self, database: &'static str) {
        self.transactions.push(database);
    }

    /// The databases that the storage would have to be in, and is not.
    pub(crate) fn not_in(&self, database: Option<&str>) -> impl Iterator<Item = &'static str> {
        self.transactions.iter().copied().filter(move |wanted| Some(*wanted) != database)
    }

    pub(crate) fn missing_from(&self, data: &super::DataMap) -> Vec<MissingData> {
        self.data.iter().filter(|(id, _)| !data.contains(*id)).map(|(_, name)| MissingData(name)).collect()
    }
}

/// A handler takes a `Data<T>` that its server doesn't have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("needs `Data<{0}>`, which this server does not have; add `.data(…)` with a `{0}` to its builder")]
pub(crate) struct MissingData(&'static str);
