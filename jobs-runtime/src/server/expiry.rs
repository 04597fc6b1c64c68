use super::shared::Shared;
use crate::storage::StorageResult;

/// How many jobs are removed in one call.
const BATCH: usize = 1_000;

/// Removes jobs whose time has expired, in small commits, so that others can write in between.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    loop {
        let removed = shared.storage().expire(BATCH).await?;
        shared.health.recovered("expiry");
        if removed < BATCH {
            shared.storage().clock().sleep(shared.intervals().expiration_check).await;
        }
    }
}
