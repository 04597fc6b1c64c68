use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{runtime::Handle, time::Instant};
use tracing::debug;

use super::{MySql, session::Tx};
use crate::storage::{
    StorageResult,
    sql::{
        Param, Session as _, params,
        pooled::{self, Work},
        read,
    },
};

type Shared = pooled::Shared<MySql>;

/// How many of the newest tickets stay: those that someone may look for.
const KEPT: i64 = 100_000;

/// How many are removed in one transaction, and with one statement.
const PIECE: usize = 4_096;
const STATEMENT: usize = 256;

/// How often tickets are removed at most.
const OFTEN: Duration = Duration::from_secs(1);

/// Removes old tickets, for as long as there is the storage: there is one for each transaction that ever wrote something.
pub(super) fn start(thread: &Handle, shared: &Arc<Shared>) {
    shared.beside(thread, follow(Arc::downgrade(shared), shared.common.intervals.counters_aggregation));
}

async fn follow(shared: Weak<Shared>, longest: Duration) {
    let mut interval = longest;
    loop {
        let began = Instant::now();
        // Not at the same time as all other processes.
        tokio::time::sleep(interval.mul_f64(fastrand::f64() + 0.5)).await;
        let Some(storage) = shared.upgrade() else { return };
        match remove_old(&storage).await {
            Ok(removed) => interval = next_interval(began.elapsed(), removed, longest),
            Err(error) => debug!(%error, "old tickets could not be removed"),
        }
    }
}

/// As often as counters are summed up; but when there are many, again when about a quarter as many have come as stay.
fn next_interval(passed: Duration, removed: usize, longest: Duration) -> Duration {
    let quarters = removed as f64 / (KEPT as f64 / 4.0);
    passed.div_f64(quarters.max(1e-6)).max(OFTEN).min(longest)
}

async fn remove_old(storage: &Shared) -> StorageResult<usize> {
    let mut removed = 0;
    loop {
        let piece = storage.run(&RemoveOld).await?;
        removed += piece;
        if piece < PIECE {
            return Ok(removed);
        }
    }
}

/// Removes some of the oldest; returns how many.
struct RemoveOld;

impl Work<MySql> for RemoveOld {
    type Answer = usize;

    /// The newest stays also when it is old: new ones are counted from it on. One that an open transaction has taken is
    /// left alone: it may stay open for long.
    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<usize> {
        const OLD: &str = "
            SELECT id FROM {p}ticket
            WHERE id <= ?
            ORDER BY id
            LIMIT ?
            FOR UPDATE SKIP LOCKED";
        const DELETE: &str = "
            DELETE t FROM ({keys}) old
            STRAIGHT_JOIN {p}ticket t FORCE INDEX (PRIMARY) ON t.id = old.k";
        let rows = tx.fetch("SELECT COALESCE(MAX(id), 0) AS id FROM {p}ticket", params![]).await?;
        let newest = read(tx, &rows, |row| row.int("id"))?.pop().unwrap_or_default();
        let rows = tx.fetch(OLD, params![newest - KEPT, PIECE]).await?;
        let old = read(tx, &rows, |row| row.int("id"))?;
        for piece in old.chunks(STATEMENT) {
            // What is left of the room is filled with the first one.
            let keys = piece.iter().chain(std::iter::repeat(&piece[0])).take(STATEMENT).map(|id| Param::from(*id));
            tx.execute_rows(DELETE, "CAST(? AS SIGNED)", STATEMENT, keys.collect()).await?;
        }
        Ok(old.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{KEPT, next_interval};

    #[test]
    fn many_tickets_are_removed_more_often() {
        let (second, longest) = (Duration::from_secs(1), Duration::from_secs(300));
        assert_eq!(next_interval(longest, 0, longest), longest);
        assert_eq!(next_interval(longest, 100, longest), longest);
        assert_eq!(next_interval(longest, 75 * KEPT as usize, longest), second);
        assert_eq!(next_interval(second * 10, KEPT as usize / 2, longest), second * 5);
        assert_eq!(next_interval(second, 0, second / 20), second / 20, "not less often than it is asked to");
    }
}
