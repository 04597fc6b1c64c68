use std::time::Duration;

use super::shared::Shared;
use crate::storage::{StorageResult, Topic};

/// How often to look whether running jobs were taken away, when no signal says so.
const INTERVAL: Duration = Duration::from_millis(500);

/// Cancels the tokens of running jobs that were deleted, requeued or rescued, and sees to it that those which
/// still wait for a worker are not begun.
///
/// Without a signal only claims older than the interval are looked up, so short jobs cost nothing.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let storage = shared.storage();
    let mut revoked = storage.signals().subscribe(Topic::Revoked);
    loop {
        let age = tokio::select! {
            () = revoked.changed() => Duration::ZERO,
            () = tokio::time::sleep(INTERVAL) => INTERVAL,
        };
        let claims = shared.claims.older_than(age);
        if !claims.is_empty() {
            for claim in storage.revoked(claims).await? {
                shared.claims.revoke(claim);
                shared.running.cancel(claim);
            }
        }
        shared.health.recovered("cancellation");
    }
}
