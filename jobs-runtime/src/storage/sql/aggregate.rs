//! Summing up what was counted in hours that are over, where several rows count for one.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use super::{
    rows::Reader,
    session::{Columns, Verb, Write, params, read},
};
use crate::{
    clock::{Timestamp, before},
    storage::{Period, StorageResult},
};

/// Makes one row of those of each hour that is over; returns how many it took away.
pub(crate) struct Aggregate {
    pub(crate) limit: usize,
    /// The first hour that may have several rows, in seconds since 1970: before it everything is summed up.
    pub(crate) from: i64,
}

/// How far back it is looked for what was counted late, in a transaction that was open for long, once all before is summed
/// up.
const LATE: Duration = Duration::from_secs(24 * 3_600);

/// How far a process knows that everything is summed up.
#[derive(Debug)]
pub(crate) struct SummedUp(AtomicI64);

impl SummedUp {
    /// What to do next. At first all hours are looked at.
    pub(crate) fn next(&self, limit: usize) -> Aggregate {
        Aggregate { limit, from: self.0.load(Ordering::Relaxed) }
    }

    /// Notes that it was done at this time, and how many rows were taken away.
    pub(crate) fn done(&self, limit: usize, taken: usize, at: Timestamp) {
        if taken < limit {
            self.0.store(Period::Hour.start(before(at, LATE)), Ordering::Relaxed);
        }
    }
}

impl Default for SummedUp {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
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
        let parts = parts(tx, self).await?;
        for of_hour in parts.chunk_by(|a, b| a.hour == b.hour) {
            sum_up(tx, of_hour).await?;
        }
        Ok(parts.len())
    }
}

/// The rows of hours that are over, the earliest first. Who is late counts into a new row, which is summed up next time.
async fn parts<S: Write>(tx: &mut S, aggregate: &Aggregate) -> StorageResult<Vec<Part>> {
    const SELECT: &str = "
        SELECT hour, shard, succeeded, failed, deleted FROM {p}statistics
        WHERE hour >= ? AND hour < ? AND shard >= 0
        ORDER BY hour, shard
        LIMIT ?
        FOR UPDATE SKIP LOCKED";
    let rows = tx.fetch(SELECT, params![aggregate.from, Period::Hour.start(tx.now()), aggregate.limit]).await?;
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

#[cfg(test)]
mod tests {
    use super::SummedUp;
    use crate::clock::Timestamp;

    #[test]
    fn hours_that_are_summed_up_are_not_read_again_but_for_a_day() {
        let at: Timestamp = "2030-03-05T07:30:00Z".parse().expect("a time");
        let day_before: Timestamp = "2030-03-04T07:00:00Z".parse().expect("a time");
        let summed_up = SummedUp::default();
        assert_eq!(summed_up.next(100).from, i64::MIN);
        summed_up.done(100, 100, at);
        assert_eq!(summed_up.next(100).from, i64::MIN, "there may be more");
        summed_up.done(100, 99, at);
        assert_eq!(summed_up.next(100).from, day_before.timestamp());
    }
}
