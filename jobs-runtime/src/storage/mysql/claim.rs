use std::collections::HashMap;

use super::{
    MySql,
    session::{FEW, Tx},
};
use crate::{
    job::{JobId, QueueName},
    storage::{
        Claim, ClaimToken, ClaimedJob, StorageResult,
        sql::{Columns, Param, Reader, Session as _, params, pooled::Work, read},
    },
};

/// A row of `ready`.
struct Waiting {
    rank: i64,
    seq: i64,
    job: JobId,
    awaited: i64,
}

impl Work<MySql> for Claim {
    type Answer = Vec<ClaimedJob>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<ClaimedJob>> {
        let mut claimed = Vec::new();
        let mut token = None;
        for queue in self.queues.iter() {
            let room = self.limit - claimed.len();
            if room == 0 {
                break;
            }
            let waiting = first_of(tx, queue, room).await?;
            if waiting.is_empty() {
                continue;
            }
            let token = match token {
                Some(token) => token,
                None => *token.insert(ClaimToken(tx.ticket().await?)),
            };
            take(tx, queue, &waiting).await?;
            hold(tx, &waiting, token, self).await?;
            claimed.extend(bodies(tx, &waiting, queue, token).await?);
        }
        Ok(claimed)
    }
}

/// Locks the first rows of a queue that nobody else has.
async fn first_of(tx: &mut Tx<'_>, queue: &QueueName, limit: usize) -> StorageResult<Vec<Waiting>> {
    const SELECT: &str = "
        SELECT {rank} AS place, seq, job, awaited FROM {p}ready
        WHERE queue = ?
        ORDER BY {rank}, seq
        LIMIT ?
        FOR UPDATE SKIP LOCKED";
    let rows = tx.fetch(SELECT, params![queue.as_str(), limit]).await?;
    read(tx, &rows, |row| {
        let (rank, seq) = (row.int("place")?, row.int("seq")?);
        Ok(Waiting { rank, seq, job: row.id("job")?, awaited: row.int("awaited")? })
    })
}

/// Removes rows of `ready` by their primary keys, those of one rank at a time.
async fn take(tx: &mut Tx<'_>, queue: &QueueName, waiting: &[Waiting]) -> StorageResult<()> {
    const DELETE: &str = "DELETE FROM {p}ready WHERE queue = ? AND {rank} = ? AND seq IN ({values})";
    const DELETE_FEW: &str = "
        DELETE r FROM ({keys}) few
        STRAIGHT_JOIN {p}ready r FORCE INDEX (PRIMARY) ON r.queue = ? AND r.{rank} = ? AND r.seq = few.k";
    for of_rank in waiting.chunk_by(|a, b| a.rank == b.rank) {
        for piece in of_rank.chunks(256) {
            let lane = params![queue.as_str(), piece[0].rank];
            let seqs: Vec<Param> = piece.iter().map(|row| Param::from(row.seq)).collect();
            if (2..=FEW).contains(&piece.len()) {
                tx.execute_rows(DELETE_FEW, "CAST(? AS SIGNED)", piece.len(), [seqs, lane].concat()).await?;
            } else {
                tx.execute_rows(DELETE, "?", piece.len(), [lane, seqs].concat()).await?;
            }
        }
    }
    Ok(())
}

async fn hold(tx: &mut Tx<'_>, waiting: &[Waiting], token: ClaimToken, claim: &Claim) -> StorageResult<()> {
    const INSERT: &str = "INSERT INTO {p}processing (job, token, server, at, awaited) VALUES {values}";
    for piece in waiting.chunks(256) {
        let (server, now) = (claim.server.as_str(), tx.now);
        let row = |row: &Waiting| params![row.job, token.0, server, now, row.awaited];
        tx.execute_rows(INSERT, "(?, ?, ?, ?, ?)", piece.len(), piece.iter().flat_map(row).collect()).await?;
    }
    Ok(())
}

/// The jobs in the order in which they waited.
async fn bodies(
    tx: &mut Tx<'_>,
    waiting: &[Waiting],
    queue: &QueueName,
    token: ClaimToken,
) -> StorageResult<Vec<ClaimedJob>> {
    const SELECT: &str = "
        SELECT id, type, method, arguments, max_attempts, created_at, spent, lost, schedule, slot, parameters
        FROM {p}job WHERE id {in_ids}";
    let ids: Vec<JobId> = waiting.iter().map(|row| row.job).collect();
    let rows = tx.fetch(SELECT, params![ids]).await?;
    let jobs = read(tx, &rows, |row| job(row, queue, token))?;
    let mut jobs: HashMap<JobId, ClaimedJob> = jobs.into_iter().map(|job| (job.id, job)).collect();
    Ok(waiting.iter().filter_map(|row| jobs.remove(&row.job)).collect())
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
