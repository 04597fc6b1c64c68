//! Summing up what was counted in hours that are over, where several rows count for one.

use super::{
    rows::Reader,
    session::{Columns, Verb, Write, params, read},
};
use crate::storage::{Period, StorageResult};

/// Makes one row of those of each hour that is over; returns how many it took away.
pub(crate) struct Aggregate {
    pub(crate) limit: usize,
}

/// The row of an hour in which the others are summed up.
const SUMMED_UP: i64 = -1;

/// A row that counts a part of an hour.
struct Part {
    hour: i64,
    shard: i64,
    counts: [i64; 3],
}

impl Verb for Aggregate {
    type Answer = usize;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<usize> {
        let parts = parts(tx, self.limit).await?;
        for of_hour in parts.chunk_by(|a, b| a.hour == b.hour) {
            sum_up(tx, of_hour).await?;
        }
        Ok(parts.len())
    }
}

/// The rows of hours that are over, the earliest first. Who is late counts into a new row, which is summed up next time.
async fn parts<S: Write>(tx: &mut S, limit: usize) -> StorageResult<Vec<Part>> {
    const SELECT: &str = "
        SELECT hour, shard, succeeded, failed, deleted FROM {p}statistics
        WHERE hour < ? AND shard >= 0
        ORDER BY hour, shard
        LIMIT ?
        FOR UPDATE SKIP LOCKED";
    let rows = tx.fetch(SELECT, params![Period::Hour.start(tx.now()), limit]).await?;
    read(tx, &rows, part)
}

fn part<R: Columns>(row: &Reader<'_, R>) -> StorageResult<Part> {
    let counts = [row.int("succeeded")?, row.int("failed")?, row.int("deleted")?];
    Ok(Part { hour: row.int("hour")?, shard: row.int("shard")?, counts })
}

async fn sum_up<S: Write>(tx: &mut S, parts: &[Part]) -> StorageResult<()> {
    const UPSERT: &str = "
        INSERT INTO {p}statistics (hour, shard, succeeded, failed, deleted)
        VALUES (?, ?, ?, ?, ?)
        {add_counts}";
    let Some(hour) = parts.first().map(|part| part.hour) else { return Ok(()) };
    for part in parts {
        tx.execute("DELETE FROM {p}statistics WHERE hour = ? AND shard = ?", params![hour, part.shard]).await?;
    }
    let sum = |index: usize| parts.iter().map(|part| part.counts[index]).sum::<i64>();
    tx.execute(UPSERT, params![hour, SUMMED_UP, sum(0), sum(1), sum(2)]).await?;
    Ok(())
}
