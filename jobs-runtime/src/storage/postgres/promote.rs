use std::time::Duration;

use sqlx::Row as _;

use super::{Postgres, session::Tx};
use crate::{
    clock::after,
    state::StateName,
    storage::{
        Promotion, StorageResult,
        sql::{Session as _, Write as _, params, pooled::Work, read},
    },
};

/// Puts scheduled jobs whose time has come into their queues, set-wise.
pub(super) struct Promote {
    pub(super) limit: usize,
}

/// How long it is until it is looked again for what someone else had locked.
const AGAIN: Duration = Duration::from_millis(200);

impl Work<Postgres> for Promote {
    type Answer = Promotion;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Promotion> {
        let now = tx.now.timestamp_micros();
        let promote = tx.query(PROMOTE).bind(now).bind(self.limit as i64).bind(now).bind(now);
        let row = promote.fetch_one(&mut *tx.connection).await;
        let promoted: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| tx.shared.failed(error))?;
        if promoted > 0 {
            tx.effects().entered(StateName::Enqueued);
        }
        let rows = tx.fetch("SELECT at FROM {p}scheduled ORDER BY at, job LIMIT 1", params![]).await?;
        let mut next_due = read(tx, &rows, |row| row.time("at"))?.pop();
        let promoted = usize::try_from(promoted).unwrap_or_default();
        if promoted < self.limit && next_due.is_some_and(|at| at <= tx.now) {
            next_due = Some(after(tx.now, AGAIN));
        }
        Ok(Promotion { promoted, next_due })
    }
}

/// The body is locked first, as every other move does it: else both would wait for each other. What someone else moves at
/// present is left alone.
const PROMOTE: &str = "
    WITH due AS MATERIALIZED (
        SELECT s.at, s.job FROM {p}scheduled s
        INNER JOIN {p}job j ON j.id = s.job
        WHERE s.at <= ?
        ORDER BY s.at, s.job
        LIMIT ?
        FOR UPDATE OF j SKIP LOCKED
    ),
    gone AS (
        DELETE FROM {p}scheduled USING due
        WHERE scheduled.at = due.at AND scheduled.job = due.job
        RETURNING scheduled.at, scheduled.job
    ),
    placed AS MATERIALIZED (
        SELECT job, nextval('{p}place') AS place FROM (SELECT job FROM gone ORDER BY at, job) g
    ),
    moved AS (
        UPDATE {p}job j SET state = 'enqueued', state_at = ?, place = placed.place
        FROM placed
        WHERE j.id = placed.job
        RETURNING j.id, j.queue, j.priority, j.place, j.awaited
    ),
    told AS (
        INSERT INTO {p}history (job, state, at, reason, data)
        SELECT id, 'enqueued', ?, 'its time has come', '{}' FROM moved
    ),
    ready AS (
        INSERT INTO {p}ready (queue, rank, seq, job, awaited)
        SELECT queue, -priority, place, id, awaited FROM moved
    )
    SELECT count(*) FROM moved";
