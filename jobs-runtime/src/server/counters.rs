use super::shared::Shared;
use crate::storage::StorageResult;

/// How many parts of counters are summed up in one call.
const BATCH: usize = 1_000;

/// Sums up the counters of hours that are over, where several count for one.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    loop {
        let parts = shared.storage().aggregate_counters(BATCH).await?;
        shared.health.recovered("counters");
        if parts < BATCH {
            shared.storage().clock().sleep(shared.intervals().counters_aggregation).await;
        }
    }
}
