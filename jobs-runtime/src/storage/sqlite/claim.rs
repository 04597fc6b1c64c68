use sqlx::sqlite::SqliteRow;

use super::tx::{Task, Tx, micros};
use crate::{
    job::QueueName,
    storage::{
        Claim, ClaimToken, ClaimedJob, StorageResult,
        sql::{Columns, Reader, read},
    },
};

impl Task for Claim {
    type Answer = Vec<ClaimedJob>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<ClaimedJob>> {
        let mut claimed: Vec<ClaimedJob> = Vec::new();
        let mut token = None;
        for queue in self.queues.iter() {
            let room = self.limit - claimed.len();
            if room == 0 {
                break;
            }
            let rows = first_of(tx, queue, room).await?;
            let Some(last) = rows.last() else { continue };
            let token = match token {
                Some(token) => token,
                None => *token.insert(ClaimToken(tx.numbers(1).await?)),
            };
            take_until(tx, queue, last, token, self).await?;
            claimed.extend(read(tx, &rows, |row| job(row, queue, token))?);
        }
        Ok(claimed)
    }
}

async fn first_of(tx: &mut Tx<'_>, queue: &QueueName, limit: usize) -> StorageResult<Vec<SqliteRow>> {
    let statement = tx.sql(
        "SELECT j.id, j.type, j.method, j.arguments, j.max_attempts, j.created_at, j.spent, j.lost, j.schedule, j.slot,
                j.parameters, r.rank, r.seq
         FROM {p}ready r
         CROSS JOIN {p}job j ON j.id = r.job
         WHERE r.queue = ?
         ORDER BY r.rank, r.seq
         LIMIT ?",
    );
    sqlx::query(statement)
        .bind(queue.as_str().to_owned())
        .bind(limit as i64)
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(|error| tx.failed(error))
}

/// Moves the first rows of a queue, up to and including `last`, from `ready` to `processing`.
async fn take_until(
    tx: &mut Tx<'_>,
    queue: &QueueName,
    last: &SqliteRow,
    token: ClaimToken,
    claim: &Claim,
) -> StorageResult<()> {
    let place = read(tx, std::slice::from_ref(last), |row| Ok((row.int("rank")?, row.int("seq")?)))?;
    let Some(&(rank, seq)) = place.first() else { return Ok(()) };
    let insert = tx.sql(
        "INSERT INTO {p}processing (job, token, server, at)
         SELECT job, ?4, ?5, ?6
         FROM {p}ready
         WHERE queue = ?1 AND (rank, seq) <= (?2, ?3)",
    );
    let place = |statement| sqlx::query(statement).bind(queue.as_str().to_owned()).bind(rank).bind(seq);
    place(insert)
        .bind(token.0)
        .bind(claim.server.to_string())
        .bind(micros(tx.now))
        .execute(&mut *tx.connection)
        .await
        .map_err(|error| tx.failed(error))?;
    let delete = tx.sql("DELETE FROM {p}ready WHERE queue = ?1 AND (rank, seq) <= (?2, ?3)");
    place(delete).execute(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
    Ok(())
}

fn job<R: Columns>(row: &Reader<'_, R>, queue: &QueueName, token: ClaimToken) -> StorageResult<ClaimedJob> {
    Ok(ClaimedJob {
        id: row.id("id")?,
        token,
        name: row.job_name()?,
        arguments: row.text("arguments")?,
        queue: queue.clone(),
        attempt: row.number("spent")? + 1,
        lost: row.number("lost")?,
        max_attempts: row.optional_number("max_attempts")?,
        created_at: row.time("created_at")?,
        recurrence: row.recurrence()?,
        parameters: row.parameters()?,
    })
}
