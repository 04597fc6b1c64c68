use super::session::{Verb, Write, params};
use crate::{
    job::JobId,
    storage::{ClaimToken, StorageResult},
};

/// Notes that runs are about to begin; few jobs, because only those that were lost before.
pub(crate) struct Begin(pub(crate) Vec<(JobId, ClaimToken)>);

impl Verb for Begin {
    type Answer = ();

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<()> {
        for (job, token) in &self.0 {
            tx.execute("UPDATE {p}processing SET begun = 1 WHERE job = ? AND token = ?", params![*job, token.0])
                .await?;
        }
        Ok(())
    }
}
