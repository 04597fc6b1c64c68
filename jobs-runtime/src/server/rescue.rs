use std::collections::BTreeMap;

use tracing::{debug, error, warn};

use super::shared::Shared;
use crate::{
    clock::{after, before},
    state::StateName,
    storage::{Rescue, Rescued, ServerId, StorageResult},
};

/// How many jobs are rescued in one call.
const BATCH: usize = 500;

/// How many regular beats of its own a server must see before it judges others.
const REGULAR_BEATS: u32 = 2;

/// Looks for servers that stopped beating, and takes their jobs from them.
///
/// What stops this server from beating may stop all: a machine that slept, a clock that was set, a storage that
/// stalled. After that the others look dead and are not. So it judges them only when it has beaten regularly
/// itself, long enough for each that lives to beat too.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let (storage, settings) = (shared.storage(), &shared.settings);
    let longest_gap = settings.heartbeat_interval.saturating_mul(2);
    let (mut last, mut regular) = (storage.clock().now(), 0);
    loop {
        let timer = storage.clock().timer(settings.heartbeat_interval);
        storage.heartbeat(&shared.record).await?;
        let now = storage.clock().now();
        regular = if after(last, longest_gap) >= now && now >= last { regular + 1 } else { 0 };
        last = now;
        if regular > REGULAR_BEATS {
            let silent_since = before(now, settings.server_timeout);
            let rescue = Rescue { silent_since, max_lost: settings.max_lost, limit: BATCH };
            while rescue_some(shared, rescue).await? == BATCH {}
        }
        shared.health.recovered("rescue");
        timer.await;
    }
}

async fn rescue_some(shared: &Shared, rescue: Rescue) -> StorageResult<usize> {
    let rescued = shared.storage().rescue(rescue).await?;
    report(&rescued);
    Ok(rescued.len())
}

/// One line a dead server, and one for each job that was lost too often.
fn report(rescued: &[Rescued]) {
    let mut jobs_of: BTreeMap<&ServerId, usize> = BTreeMap::new();
    for Rescued { job, server, to } in rescued {
        *jobs_of.entry(server).or_default() += 1;
        debug!(job.id = %job, %server, "job taken back from a server that stopped beating");
        if *to == StateName::Failed {
            error!(job.id = %job, %server, "job failed: it was lost with its server too often");
        }
    }
    for (server, jobs) in jobs_of {
        warn!(%server, jobs, "a server stopped beating; its jobs were taken from it");
    }
}
