use std::time::Duration;

use tracing::warn;

use super::{completer::give_back, shared::Shared};
use crate::storage::{StorageError, StorageResult};

/// Says again and again that the server lives, until the last of its jobs is given back.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let storage = shared.storage();
    // A beat that takes as long as others wait before they take this server for dead is none.
    let limit = shared.settings.server_timeout / 3;
    loop {
        // Set before the beat, so that a slow storage does not stretch the time between two.
        let timer = storage.clock().timer(shared.settings.heartbeat_interval);
        let held = tokio::time::timeout(limit, storage.heartbeat(&shared.record))
            .await
            .map_err(|_| StorageError::timeout(storage.describe(), "heartbeat", limit))??;
        shared.health.recovered("heartbeat");
        let lost = shared.claims.lost(held);
        if !lost.is_empty() {
            warn!(jobs = lost.len(), "jobs were claimed in a call whose reply was lost; they are given back");
            give_back(shared, lost, "given back: the reply to its claim was lost", Duration::from_secs(1)).await;
        }
        timer.await;
    }
}
