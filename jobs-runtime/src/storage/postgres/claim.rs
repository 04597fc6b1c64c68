use std::time::Duration;

use sqlx::postgres::PgRow;
use tokio::time::Instant;

use super::{
    Postgres,
    session::{Query, Tx},
    watermark::Lanes,
};
use crate::{
    job::QueueName,
    storage::{
        Claim, ClaimToken, ClaimedJob, StorageResult,
        sql::{Columns, Reader, pooled::Work, read},
    },
};

/// Takes jobs from all queues in one statement.
impl Work<Postgres> for Claim {
    type Answer = Vec<ClaimedJob>;

    fn is_single(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<ClaimedJob>> {
        let lanes = tx.shared.driver.watermarks.lanes(&self.queues);
        let jobs = claim_from(tx, self, &lanes).await?;
        let missing = self.limit - jobs.len();
        if missing == 0 || lanes.len() == self.queues.len() {
            return Ok(jobs);
        }
        // There may be more below the watermark, which is forgotten now; and nobody would wake the server for them.
        let rest = Claim { limit: missing, ..self.clone() };
        let lanes = tx.shared.driver.watermarks.lanes(&self.queues);
        match claim_from(tx, &rest, &lanes).await {
            Ok(more) => Ok(jobs.into_iter().chain(more).collect()),
            Err(error) if jobs.is_empty() => Err(error),
            Err(_) => Ok(jobs),
        }
    }
}

async fn claim_from(tx: &mut Tx<'_>, claim: &Claim, lanes: &Lanes) -> StorageResult<Vec<ClaimedJob>> {
    let began = Instant::now();
    let query = bind(tx.query(CLAIM), tx, claim, lanes);
    let rows = query.fetch_all(&mut *tx.connection).await.map_err(|error| tx.shared.failed(error))?;
    claimed(tx, claim, lanes, &rows, began.elapsed())
}

/// The parameters of [`picked!`].
pub(super) fn bind(query: Query, tx: &Tx<'_>, claim: &Claim, lanes: &Lanes) -> Query {
    query
        .bind(lanes.iter().map(|lane| lane.queue.to_string()).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| lane.first_rank).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| lane.first_seq).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| lane.last_rank).collect::<Vec<_>>())
        .bind(claim.limit as i64)
        .bind(claim.limit as i64)
        .bind(claim.server.to_string())
        .bind(tx.now.timestamp_micros())
}

/// The jobs of the rows, which were found in these lanes.
pub(super) fn claimed(
    tx: &Tx<'_>,
    claim: &Claim,
    lanes: &Lanes,
    rows: &[PgRow],
    took: Duration,
) -> StorageResult<Vec<ClaimedJob>> {
    let watermarks = &tx.shared.driver.watermarks;
    if rows.len() < claim.limit {
        watermarks.forget();
    } else {
        watermarks.found(lanes, &read(tx, rows, place)?, took);
    }
    read(tx, rows, job)
}

/// What takes jobs, as parts of a statement that may have others. The rows of a lane are looked at only when those before it
/// gave too few, because the outer limit ends the loop over the lanes.
macro_rules! picked {
    () => {
        "picked AS MATERIALIZED (
            SELECT r.*, l.i
            FROM unnest(?::text[], ?::int4[], ?::int8[], ?::int4[])
                 WITH ORDINALITY AS l (queue, first_rank, first_seq, last_rank, i)
            CROSS JOIN LATERAL (
                SELECT * FROM {p}ready
                WHERE ready.queue = l.queue AND (ready.rank, ready.seq) >= (l.first_rank, l.first_seq)
                  AND ready.rank <= l.last_rank
                ORDER BY ready.rank, ready.seq
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            ) r
            LIMIT ?
        ),
        delivery AS MATERIALIZED (SELECT nextval('{p}token') AS token),
        taken AS (
            DELETE FROM {p}ready USING picked
            WHERE ready.queue = picked.queue AND ready.rank = picked.rank AND ready.seq = picked.seq
        ),
        held AS (
            INSERT INTO {p}processing (job, token, server, at, awaited)
            SELECT picked.job, delivery.token, ?, ?, picked.awaited FROM picked, delivery
        )"
    };
}
pub(super) use picked;

const CLAIM: &str = concat!(
    "WITH ",
    picked!(),
    "
    SELECT j.id, j.type, j.method, j.arguments, j.max_attempts, j.created_at, j.spent, j.lost, j.schedule, j.slot,
           j.parameters, picked.queue, picked.rank, picked.seq, delivery.token
    FROM picked CROSS JOIN delivery
    INNER JOIN {p}job j ON j.id = picked.job
    ORDER BY picked.i, picked.rank, picked.seq"
);

/// Where the job waited.
fn place<R: Columns>(row: &Reader<'_, R>) -> StorageResult<(QueueName, i32, i64)> {
    let rank = i32::try_from(row.int("rank")?).unwrap_or_default();
    Ok((QueueName::stored(row.text("queue")?), rank, row.int("seq")?))
}

fn job<R: Columns>(row: &Reader<'_, R>) -> StorageResult<ClaimedJob> {
    Ok(ClaimedJob {
        id: row.id("id")?,
        token: ClaimToken(row.int("token")?),
        name: row.job_name()?,
        arguments: row.text("arguments")?,
        queue: QueueName::stored(row.text("queue")?),
        attempt: row.number("spent")? + 1,
        lost: row.number("lost")?,
        max_attempts: row.optional_number("max_attempts")?,
        created_at: row.time("created_at")?,
        recurrence: row.recurrence()?,
        parameters: row.parameters()?,
    })
}
