use super::tx::{Tx, Verb};
use crate::{
    job::JobId,
    storage::{ClaimToken, StorageResult},
};

/// Notes that runs are about to begin; few jobs, because only those that were lost before.
pub(super) struct Begin(pub(super) Vec<(JobId, ClaimToken)>);

impl Verb for Begin {
    type Answer = ();

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        for (job, token) in &self.0 {
            let update = tx.sql("UPDATE {p}processing SET begun = 1 WHERE job = ? AND token = ?");
            sqlx::query(update)
                .bind(job.as_bytes().to_vec())
                .bind(token.0)
                .execute(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
        }
        Ok(())
    }
}
