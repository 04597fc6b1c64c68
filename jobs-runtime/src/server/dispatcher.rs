use tracing::error;

use super::{claiming::Claiming, shared::Shared};
use crate::storage::{ClaimedJob, StorageResult, Topic};

/// Claims jobs for the workers, many in one call, until the server stops claiming.
///
/// It registers for the wake-up before it looks, so that a job stored in between is not missed; polling stands
/// behind it.
pub(super) async fn run(shared: &Shared, claimed: &async_channel::Sender<ClaimedJob>) -> StorageResult<()> {
    let storage = shared.storage();
    let mut ready = storage.signals().subscribe(Topic::Ready);
    while !shared.stop.claiming.is_cancelled() {
        if shared.demand.has_no_workers() {
            // The runtime they lived on has ended: a server that can't run jobs must not hold any.
            error!(server = %shared.record.id, "the runtime of the workers has ended; the server stops");
            shared.stop.everything.cancel();
            return Ok(());
        }
        let limit = shared.demand.wanted();
        if limit == 0 {
            // Workers have enough to do: look again when one is free.
            tokio::select! {
                () = shared.demand.changed() => {}
                () = shared.stop.claiming.cancelled() => {}
            }
            continue;
        }
        ready.reset();
        let next = Claiming::begin(shared, limit);
        let jobs = storage.claim(next.claim()).await?;
        shared.health.recovered("dispatcher");
        next.end(jobs, claimed).await;
        if !shared.demand.has_backlog() {
            // The queues are empty: wait for work.
            tokio::select! {
                () = ready.changed() => {}
                () = tokio::time::sleep(shared.intervals().queue_poll) => {}
                () = shared.stop.claiming.cancelled() => {}
            }
        }
    }
    Ok(())
}
