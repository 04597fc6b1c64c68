//! What is stored beside a job's arguments, and how long a success is kept.

use super::session::{Verb, Write, params};
use crate::{
    clock::{LATEST, Timestamp},
    job::{JobId, Parameters},
    state::Transition,
    storage::{ClaimToken, Recorded, Retention, StorageResult},
};

/// Replaces the parameters of a job, for the delivery that runs it.
pub(crate) struct SetParameters(pub(crate) JobId, pub(crate) ClaimToken, pub(crate) Parameters);

impl Verb for SetParameters {
    type Answer = Recorded;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<Recorded> {
        let Self(job, token, parameters) = self;
        if !tx.find(*job).await?.is_some_and(|stored| stored.held_by(*token)) {
            return Ok(Recorded::Fenced);
        }
        set_parameters(tx, *job, parameters).await?;
        Ok(Recorded::Stored)
    }
}

/// Replaces the parameters of a job.
pub(crate) async fn set_parameters<S: Write>(tx: &mut S, job: JobId, parameters: &Parameters) -> StorageResult<()> {
    tx.execute("UPDATE {p}job SET parameters = ? WHERE id = ?", params![parameters.to_stored(), job]).await?;
    Ok(())
}

/// When a success expires: the column is never empty, and the end of time stands for never.
pub(crate) fn success_expires_at(retention: Retention, success: &Transition) -> Timestamp {
    retention.expiry(success).unwrap_or(LATEST)
}
