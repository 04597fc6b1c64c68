use std::collections::HashSet;

use super::{
    rows::claim,
    session::{Query, Session, params, read},
};
use crate::{
    job::JobId,
    storage::{ClaimToken, StorageResult},
};

/// Which of these claims no longer hold.
pub(crate) struct FindRevoked(pub(crate) Vec<(JobId, ClaimToken)>);

impl Query for FindRevoked {
    type Answer = Vec<(JobId, ClaimToken)>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let ids: Vec<JobId> = self.0.iter().map(|(id, _)| *id).collect();
        let rows = session.fetch("SELECT job, token FROM {p}processing WHERE job {in_ids}", params![ids]).await?;
        let held: HashSet<_> = read(session, &rows, claim)?.into_iter().collect();
        Ok(self.0.iter().copied().filter(|claim| !held.contains(claim)).collect())
    }
}
