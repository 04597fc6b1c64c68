use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::{claims::ClaimKey, shared::Shared, supervise::Backoff};
use crate::{
    state::{Enqueued, Transition},
    storage::{Finish, Recorded},
};

/// How many outcomes are recorded in one call at most.
const BATCH: usize = 500;

/// Records how jobs ended, as many in one call as have gathered during the one before, until all who could end
/// jobs are gone.
///
/// An outcome is kept and tried again until the storage has it or refuses it: nothing is dropped.
pub(super) async fn run(shared: Arc<Shared>, mut outcomes: mpsc::Receiver<Finish>) {
    let mut batch = Vec::with_capacity(BATCH);
    while outcomes.recv_many(&mut batch, BATCH).await > 0 {
        shared.demand.ended(batch.len());
        record(&shared, std::mem::take(&mut batch)).await;
    }
}

async fn record(shared: &Shared, batch: Vec<Finish>) {
    let mut backoff = Backoff::default();
    loop {
        match shared.storage().finish(batch.clone()).await {
            Ok(recorded) => {
                shared.health.recovered("completer");
                shared.claims.remove(batch.iter().map(|finish| (finish.job, finish.token)));
                return report_fenced(&batch, &recorded);
            }
            Err(source) => {
                if shared.health.failed("completer", &source) {
                    error!(error = %source, outcomes = batch.len(), "outcomes can't be recorded; trying until they are");
                }
                backoff.wait().await;
            }
        }
    }
}

fn report_fenced(batch: &[Finish], recorded: &[Recorded]) {
    for (finish, recorded) in batch.iter().zip(recorded) {
        if *recorded == Recorded::Fenced {
            info!(job.id = %finish.job, outcome = %finish.transition.to.name(),
                "an outcome was refused: the job was deleted, requeued or rescued meanwhile");
        }
    }
}

/// Puts jobs back into their queues without spending an attempt, and returns how many; gives up after `limit`.
pub(super) async fn give_back(shared: &Shared, claims: Vec<ClaimKey>, reason: &str, limit: Duration) -> usize {
    let transition = Transition::new(Enqueued {}, shared.storage().clock().now()).because(reason);
    let batch: Vec<Finish> =
        claims.into_iter().map(|(job, token)| Finish { job, token, transition: transition.clone() }).collect();
    let count = batch.len();
    if count > 0 && tokio::time::timeout(limit, record(shared, batch)).await.is_err() {
        warn!(jobs = count, "jobs can't be given back; they are rescued when this server's heartbeat is stale");
    }
    count
}
