use sqlx::sqlite::SqliteRow;

use super::{
    rows::Reader,
    tx::{Tx, Verb, micros, packed},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{Promotion, StorageResult},
};

/// Puts scheduled jobs whose time has come into their queues, set-wise.
pub(super) struct Promote {
    pub(super) limit: usize,
}

impl Verb for Promote {
    type Answer = Promotion;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Promotion> {
        let due = scheduled(tx, self.limit).await?;
        let now = tx.now;
        let ids: Vec<JobId> = due.iter().filter(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        if !ids.is_empty() {
            promote(tx, &ids).await?;
        }
        let next_due = match due.get(ids.len()) {
            Some((at, _)) => Some(*at),
            None => scheduled(tx, 1).await?.first().map(|(at, _)| *at),
        };
        Ok(Promotion { promoted: ids.len(), next_due })
    }
}

async fn scheduled(tx: &mut Tx<'_>, limit: usize) -> StorageResult<Vec<(Timestamp, JobId)>> {
    let select = tx.sql("SELECT at, job FROM {p}scheduled ORDER BY at, job LIMIT ?");
    let rows: Vec<SqliteRow> = sqlx::query(select)
        .bind(limit as i64)
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(|error| tx.failed(error))?;
    rows.iter()
        .map(|row| {
            let row = Reader { row, shared: tx.shared };
            Ok((row.time("at")?, row.id("job")?))
        })
        .collect()
}

async fn promote(tx: &mut Tx<'_>, ids: &[JobId]) -> StorageResult<()> {
    let first = tx.numbers(ids.len()).await?;
    let now = micros(tx.now);
    tx.execute_ids(LEAVE_SCHEDULED, packed(ids), now).await?;
    tx.execute_ids(WRITE_HISTORY, packed(ids), now).await?;
    tx.execute_ids(UPDATE_STATE, packed(ids), now).await?;
    tx.execute_ids(UPDATE_PLACE, packed(ids), first).await?;
    tx.execute_ids(ENTER_READY, packed(ids), first).await?;
    tx.effects.entered(StateName::Enqueued);
    Ok(())
}

const LEAVE_SCHEDULED: &str = "
    WITH RECURSIVE {ids}
    DELETE FROM {p}scheduled WHERE at <= ?2 AND job IN (SELECT job FROM ids)";
const WRITE_HISTORY: &str = "
    WITH RECURSIVE {ids}
    INSERT INTO {p}history (job, state, at, reason, data)
    SELECT job, 'enqueued', ?2, 'its time has come', '{}' FROM ids";
const UPDATE_STATE: &str = "
    WITH RECURSIVE {ids}
    UPDATE {p}job SET state = 'enqueued', state_at = ?2 WHERE id IN (SELECT job FROM ids)";
const UPDATE_PLACE: &str = "
    WITH RECURSIVE {ids}
    UPDATE {p}job SET place = ids.i + ?2 FROM ids WHERE {p}job.id = ids.job";
const ENTER_READY: &str = "
    WITH RECURSIVE {ids}
    INSERT INTO {p}ready (queue, rank, seq, job)
    SELECT j.queue, -j.priority, j.place, j.id FROM ids CROSS JOIN {p}job j ON j.id = ids.job";
