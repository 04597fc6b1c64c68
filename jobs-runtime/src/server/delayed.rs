use super::shared::Shared;
use crate::storage::{StorageResult, Topic};

/// How many jobs are promoted in one call.
const BATCH: usize = 1_000;

/// Puts scheduled jobs into their queues when their time has come, and sleeps until the next is due.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let storage = shared.storage();
    let mut scheduled = storage.signals().subscribe(Topic::Scheduled);
    loop {
        scheduled.reset();
        let promotion = storage.promote(BATCH).await?;
        shared.health.recovered("delayed");
        if promotion.promoted == BATCH {
            continue;
        }
        let due = async {
            match promotion.next_due {
                Some(at) => storage.clock().sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = scheduled.changed() => {}
            () = tokio::time::sleep(shared.settings.schedule_poll_interval) => {}
        }
    }
}
