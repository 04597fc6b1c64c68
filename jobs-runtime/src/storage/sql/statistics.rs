//! Counting what was finished, hour by hour, where several connections write at once.

use super::session::{Write, params};
use crate::{
    state::StateName,
    storage::{Period, StorageResult},
};

/// How many rows an hour has at most, so that not everyone waits for everyone to count; and as many more for transactions
/// that may stay open for long.
pub(crate) const SHARDS: i64 = 16;

/// Adds to the statistics of the present hour.
pub(crate) async fn count<S: Write>(tx: &mut S, shard: i64, state: StateName, jobs: u64) -> StorageResult<()> {
    const UPSERT: &str = "
        INSERT INTO {p}statistics (hour, shard, succeeded, failed, deleted)
        VALUES (?, ?, ?, ?, ?)
        {add_counts}";
    let of = |counted: StateName| if state == counted { i64::try_from(jobs).unwrap_or(i64::MAX) } else { 0 };
    let counts = [StateName::Succeeded, StateName::Failed, StateName::Deleted].map(of);
    if counts != [0; 3] {
        let hour = Period::Hour.start(tx.now());
        tx.execute(UPSERT, params![hour, shard, counts[0], counts[1], counts[2]]).await?;
    }
    Ok(())
}
