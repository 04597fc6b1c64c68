use super::{
    rows::Reader,
    tx::{Tx, Verb, micros, packed},
};
use crate::{job::JobId, state::Deleted, storage::StorageResult};

/// Removes jobs whose time has expired.
pub(super) struct Expire {
    pub(super) limit: usize,
}

impl Verb for Expire {
    type Answer = usize;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<usize> {
        let expired = expired(tx, self.limit).await?;
        if expired.is_empty() {
            return Ok(0);
        }
        // Only a failed job can expire while others still await it.
        for parent in parents(tx, &expired).await? {
            tx.release(parent, Deleted {}.into(), "the awaited job expired").await?;
        }
        for delete in DELETES {
            tx.execute_ids(delete, packed(&expired), 0).await?;
        }
        Ok(expired.len())
    }
}

/// The bodies last, because the rows of `failed` and `deleted` are found by them.
const DELETES: [&str; 5] = [
    "WITH RECURSIVE {ids} DELETE FROM {p}succeeded WHERE job IN (SELECT job FROM ids)",
    "WITH RECURSIVE {ids}
     DELETE FROM {p}failed WHERE (at, job) IN
         (SELECT j.place, j.id FROM ids CROSS JOIN {p}job j ON j.id = ids.job WHERE j.state = 'failed')",
    "WITH RECURSIVE {ids}
     DELETE FROM {p}deleted WHERE (at, job) IN
         (SELECT j.place, j.id FROM ids CROSS JOIN {p}job j ON j.id = ids.job WHERE j.state = 'deleted')",
    "WITH RECURSIVE {ids} DELETE FROM {p}history WHERE job IN (SELECT job FROM ids)",
    "WITH RECURSIVE {ids} DELETE FROM {p}job WHERE id IN (SELECT job FROM ids)",
];

async fn expired(tx: &mut Tx<'_>, limit: usize) -> StorageResult<Vec<JobId>> {
    let select = tx.sql(
        "SELECT job AS id FROM (SELECT job FROM {p}succeeded WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
         UNION ALL
         SELECT id FROM (SELECT id FROM {p}job WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
         LIMIT ?2",
    );
    let rows = sqlx::query(select).bind(micros(tx.now)).bind(limit as i64).fetch_all(&mut *tx.connection).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    rows.iter().map(|row| Reader { row, shared: tx.shared }.id("id")).collect()
}

/// Those of the jobs that others await.
async fn parents(tx: &mut Tx<'_>, jobs: &[JobId]) -> StorageResult<Vec<JobId>> {
    let select = tx.sql(
        "WITH RECURSIVE {ids}
         SELECT job FROM ids WHERE EXISTS (SELECT 1 FROM {p}awaiting a WHERE a.parent = ids.job)",
    );
    let rows = sqlx::query(select).bind(packed(jobs)).fetch_all(&mut *tx.connection).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    rows.iter().map(|row| Reader { row, shared: tx.shared }.id("job")).collect()
}
