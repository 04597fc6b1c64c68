use serde::Serialize;

use super::{ClaimToken, Recorded, RunStorage, StorageError};
use crate::job::{JobContext, ParameterError};

impl JobContext {
    /// Stores a [parameter](crate::job::Parameters) of the job at once: the next attempt finds it, should this one fail.
    ///
    /// ```
    /// use jobs_runtime::prelude::*;
    ///
    /// #[job]
    /// async fn import(cx: JobContext, lines: u64) -> anyhow::Result<()> {
    ///     for line in cx.parameter("line")?.unwrap_or(0)..lines {
    ///         // …
    ///         if line % 1_000 == 0 {
    ///             cx.set_parameter("line", &line).await?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// On SQLite, not while the handler has a [`JobTx`](crate::prelude::JobTx): it would wait for itself.
    ///
    /// # Errors
    ///
    /// [`SetParameterError::Parameter`] if the value can't be written as JSON or is too long,
    /// [`SetParameterError::Revoked`] if the job was deleted, requeued or rescued while it ran, and
    /// [`SetParameterError::Storage`] if the storage fails. In each case it is not stored.
    pub async fn set_parameter<T>(&self, name: &str, value: &T) -> Result<(), SetParameterError>
    where
        T: Serialize + Sync + ?Sized,
    {
        let _turn = self.parameters_turn().await;
        let mut parameters = self.parameters();
        parameters.set(name, value)?;
        let Some(storage) = self.data::<RunStorage>() else { return Err(SetParameterError::Revoked) };
        match storage.0.set_parameters(self.job_id(), ClaimToken(self.token()), parameters.clone()).await? {
            Recorded::Stored => {
                *self.parameters_mut() = parameters;
                Ok(())
            }
            Recorded::Fenced => Err(SetParameterError::Revoked),
        }
    }
}

/// A run can't store a parameter of its job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetParameterError {
    /// The value is none.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The job is no longer this run's.
    #[error("the job was deleted, requeued or rescued while it ran, so that this run can't change it any more")]
    Revoked,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
