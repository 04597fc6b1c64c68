use super::tx::{Task, Tx, micros, packed};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{Promotion, StorageResult, sql::read},
};

/// Puts scheduled jobs whose time has come into their queues, set-wise.
pub(super) struct Promote {
    pub(super) limit: usize,
}

impl Task for Promote {
    type Answer = Promotion;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Promotion> {
        let due = due(tx, self.limit).await?;
        if !due.is_empty() {
            promote(tx, &due).await?;
        }
        Ok(Promotion { promoted: due.len(), next_due: next_due(tx).await? })
    }
}

async fn due(tx: &mut Tx<'_>, limit: usize) -> StorageResult<Vec<JobId>> {
    let select = tx.sql("SELECT job FROM {p}scheduled WHERE at <= ? ORDER BY at, job LIMIT ?");
    let rows = sqlx::query(select).bind(micros(tx.now)).bind(limit as i64).fetch_all(&mut *tx.connection).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    read(tx, &rows, |row| row.id("job"))
}

async fn next_due(tx: &mut Tx<'_>) -> StorageResult<Option<Timestamp>> {
    let select = tx.sql("SELECT at FROM {p}scheduled ORDER BY at, job LIMIT 1");
    let rows = sqlx::query(select).fetch_all(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
    Ok(read(tx, &rows, |row| row.time("at"))?.pop())
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
