//! Counting what was finished, hour by hour.

use super::session::Tx;
use crate::{
    state::StateName,
    storage::{
        Period, StorageResult,
        sql::{Session as _, params},
    },
};

/// Adds to the statistics of the present hour.
pub(super) async fn count(tx: &mut Tx<'_>, state: StateName, jobs: u64) -> StorageResult<()> {
    const UPSERT: &str = "
        INSERT INTO {p}statistics AS s (hour, shard, succeeded, failed, deleted)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (hour, shard) DO UPDATE
        SET succeeded = s.succeeded + excluded.succeeded,
            failed = s.failed + excluded.failed,
            deleted = s.deleted + excluded.deleted";
    let of = |counted: StateName| if state == counted { i64::try_from(jobs).unwrap_or(i64::MAX) } else { 0 };
    let counts = [StateName::Succeeded, StateName::Failed, StateName::Deleted].map(of);
    if counts == [0; 3] {
        return Ok(());
    }
    let (hour, shard) = (Period::Hour.start(tx.now), tx.shared.shard);
    tx.execute(UPSERT, params![hour, i64::from(shard), counts[0], counts[1], counts[2]]).await?;
    Ok(())
}
