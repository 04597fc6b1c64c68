use super::{
    MySql,
    session::{TICKET, Tx},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{
        Promotion, StorageResult,
        sql::{Param, Session as _, Write as _, params, pooled::Work, read},
    },
};

/// Puts scheduled jobs whose time has come into their queues.
pub(super) struct Promote {
    pub(super) limit: usize,
}

impl Work<MySql> for Promote {
    type Answer = Promotion;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Promotion> {
        let due = due(tx, self.limit).await?;
        for piece in due.chunks(64) {
            promote(tx, piece).await?;
        }
        let rows = tx.fetch("SELECT at FROM {p}scheduled ORDER BY at, job LIMIT 1", params![]).await?;
        let next_due = read(tx, &rows, |row| row.time("at"))?.pop();
        Ok(Promotion { promoted: due.len(), next_due })
    }
}

async fn due(tx: &mut Tx<'_>, limit: usize) -> StorageResult<Vec<(Timestamp, JobId)>> {
    const SELECT: &str = "
        SELECT at, job FROM {p}scheduled
        WHERE at <= ?
        ORDER BY at, job
        LIMIT ?
        FOR UPDATE SKIP LOCKED";
    let rows = tx.fetch(SELECT, params![tx.now, limit]).await?;
    read(tx, &rows, |row| Ok((row.time("at")?, row.id("job")?)))
}

async fn promote(tx: &mut Tx<'_>, due: &[(Timestamp, JobId)]) -> StorageResult<()> {
    const LEAVE: &str = "DELETE FROM {p}scheduled WHERE at >= ? AND at <= ? AND job {in_ids}";
    const TELL: &str = "INSERT INTO {p}history (job, state, at, reason, data) VALUES {values}";
    const ENTER: &str = "
        INSERT INTO {p}ready (queue, {rank}, seq, job, awaited)
        SELECT queue, -priority, place, id, awaited FROM {p}job WHERE id {in_ids}";
    let first = tx.ticket().await? * TICKET;
    let now = tx.now;
    let ids: Vec<JobId> = due.iter().map(|(_, job)| *job).collect();
    let (earliest, latest) = (due.first().map(|(at, _)| *at), due.last().map(|(at, _)| *at));
    tx.execute(LEAVE, params![earliest, latest, ids.clone()]).await?;
    for (place, (_, job)) in (first..).zip(due) {
        const UPDATE: &str = "UPDATE {p}job SET state = 'enqueued', state_at = ?, place = ? WHERE id = ?";
        tx.execute(UPDATE, params![now, place, *job]).await?;
    }
    let told = |(_, job): &(Timestamp, JobId)| params![*job, "enqueued", now, "its time has come", "{}"];
    let told: Vec<Param> = due.iter().flat_map(told).collect();
    tx.execute_rows(TELL, "(?, ?, ?, ?, ?)", due.len(), told).await?;
    tx.execute(ENTER, params![ids]).await?;
    tx.effects().entered(StateName::Enqueued);
    Ok(())
}
