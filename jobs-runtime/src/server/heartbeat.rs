use std::time::Duration;

use tracing::warn;

use super::{completer::give_back, shared::Shared};
use crate::{clock::after, storage::StorageResult};

/// Says again and again that the server lives, until the last of its jobs is given back.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    loop {
        // Counted from before the beat, so that a slow storage does not stretch the time between two.
        let next = after(shared.storage().clock().now(), shared.settings.heartbeat_interval);
        let held = shared.storage().heartbeat(&shared.record).await?;
        shared.health.recovered("heartbeat");
        let lost = shared.claims.lost(held);
        if !lost.is_empty() {
            warn!(jobs = lost.len(), "jobs were claimed in a call whose reply was lost; they are given back");
            give_back(shared, lost, "given back: the reply to its claim was lost", Duration::from_secs(1)).await;
        }
        shared.storage().clock().sleep_until(next).await;
    }
}
