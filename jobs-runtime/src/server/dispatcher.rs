use std::sync::Arc;

use tracing::{debug, error};

use super::shared::Shared;
use crate::storage::{Claim, ClaimedJob, StorageResult, Topic};

/// Claims jobs for the workers, many in one call, until the server stops claiming.
///
/// It registers for the wake-up before it looks, so that a job stored in between is not missed; polling stands
/// behind it.
pub(super) async fn run(shared: &Shared, claimed: &async_channel::Sender<ClaimedJob>) -> StorageResult<()> {
    let storage = shared.storage();
    let queues: Arc<[_]> = shared.record.queues.clone().into();
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
        let claim = Claim { server: shared.record.id.clone(), queues: Arc::clone(&queues), limit };
        let call = shared.claims.call();
        let jobs = storage.claim(claim).await?;
        shared.health.recovered("dispatcher");
        let full = jobs.len() == limit;
        debug!(wanted = limit, claimed = jobs.len(), "claimed jobs");
        shared.demand.claimed(jobs.len());
        shared.claims.add(jobs.iter().map(|job| (job.id, job.token)));
        drop(call);
        for job in jobs {
            // The channel is unbounded and closed only by the shutdown, which gives back what is in it.
            let _ = claimed.try_send(job);
        }
        if !full {
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
