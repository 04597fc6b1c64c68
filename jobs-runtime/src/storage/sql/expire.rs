use super::{
    continuation::release,
    session::{Verb, Write, params, read},
};
use crate::{job::JobId, state::Deleted, storage::StorageResult};

/// Removes jobs whose time has expired.
pub(crate) struct Expire {
    pub(crate) limit: usize,
}

impl Verb for Expire {
    type Answer = usize;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<usize> {
        let expired = expired(tx, self.limit).await?;
        if expired.is_empty() {
            return Ok(0);
        }
        // Only a failed job can expire while others still await it.
        for parent in parents(tx, expired.clone()).await? {
            release(tx, parent, Deleted {}.into(), "the awaited job expired").await?;
        }
        for delete in DELETES {
            tx.execute(delete, params![expired.clone()]).await?;
        }
        Ok(expired.len())
    }
}

/// The bodies last, because the rows of `failed` and `deleted` are found by them.
const DELETES: [&str; 5] = [
    "DELETE FROM {p}succeeded WHERE job {in_ids}",
    "DELETE FROM {p}failed
     WHERE (at, job) IN (SELECT j.place, j.id FROM {p}job j WHERE j.state = 'failed' AND j.id {in_ids})",
    "DELETE FROM {p}deleted
     WHERE (at, job) IN (SELECT j.place, j.id FROM {p}job j WHERE j.state = 'deleted' AND j.id {in_ids})",
    "DELETE FROM {p}history WHERE job {in_ids}",
    "DELETE FROM {p}job WHERE id {in_ids}",
];

async fn expired<S: Write>(tx: &mut S, limit: usize) -> StorageResult<Vec<JobId>> {
    let now = tx.now();
    let mut expired = Vec::new();
    for select in [
        "SELECT job FROM {p}succeeded WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
        "SELECT id AS job FROM {p}job WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
    ] {
        let rows = tx.fetch(select, params![now, limit - expired.len()]).await?;
        expired.extend(read(tx, &rows, |row| row.id("job"))?);
    }
    Ok(expired)
}

/// Those of the jobs that others await.
async fn parents<S: Write>(tx: &mut S, jobs: Vec<JobId>) -> StorageResult<Vec<JobId>> {
    let rows = tx.fetch("SELECT DISTINCT a.parent FROM {p}awaiting a WHERE a.parent {in_ids}", params![jobs]).await?;
    read(tx, &rows, |row| row.id("parent"))
}
