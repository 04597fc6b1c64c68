use std::{sync::Arc, time::Duration};

use tracing::debug;

use super::{
    claims::{CallGuard, ClaimKey},
    completer::give_back,
    demand::Reservation,
    shared::Shared,
};
use crate::{
    state::SHUT_DOWN,
    storage::{Claim, ClaimedJob},
};

/// A claim that is under way: from before the storage is asked until its jobs are the workers'.
///
/// Dropped before its end, it was of no use; if the storage gave jobs all the same, the heartbeat finds them.
pub(super) struct Claiming<'s> {
    shared: &'s Shared,
    limit: usize,
    reservation: Reservation<'s>,
    call: CallGuard<'s>,
}

/// How long giving back jobs may take that came when nobody was there to run them.
const LIMIT: Duration = Duration::from_secs(5);

impl<'s> Claiming<'s> {
    pub(super) fn begin(shared: &'s Shared, limit: usize) -> Self {
        Self { shared, limit, reservation: shared.demand.reserve(limit), call: shared.claims.call() }
    }

    pub(super) fn claim(&self) -> Claim {
        let record = &self.shared.record;
        Claim { server: record.id.clone(), queues: Arc::clone(&self.shared.queues), limit: self.limit }
    }

    /// Hands the jobs to the workers. If these have been told to end meanwhile, it gives them back.
    pub(super) async fn end(self, jobs: Vec<ClaimedJob>, claimed: &async_channel::Sender<ClaimedJob>) {
        let Self { shared, limit, reservation, call } = self;
        debug!(wanted = limit, claimed = jobs.len(), "claimed jobs");
        shared.claims.add(jobs.iter().map(|job| (job.id, job.token)));
        reservation.claimed(jobs.len());
        drop(call);
        let unsent = |job| claimed.try_send(job).err().map(async_channel::TrySendError::into_inner);
        let unsent: Vec<ClaimKey> = jobs.into_iter().filter_map(unsent).map(|job| (job.id, job.token)).collect();
        if !unsent.is_empty() {
            give_back(shared, unsent, SHUT_DOWN, LIMIT).await;
        }
    }
}
