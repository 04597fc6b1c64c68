use std::collections::BTreeMap;

use tracing::{debug, error, warn};

use super::shared::Shared;
use crate::{
    state::StateName,
    storage::{Rescue, Rescued, ServerId, StorageResult},
};

/// How many jobs are rescued in one call.
const BATCH: usize = 500;

/// Looks for servers that stopped beating, and takes their jobs from them.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let settings = &shared.settings;
    let rescue = Rescue { stale_after: settings.server_timeout, max_lost: settings.max_lost, limit: BATCH };
    loop {
        // This process may have been stopped for long: before it judges others it beats itself.
        shared.storage().heartbeat(&shared.record).await?;
        let rescued = shared.storage().rescue(rescue).await?;
        report(&rescued);
        shared.health.recovered("rescue");
        if rescued.len() < BATCH {
            shared.storage().clock().sleep(settings.heartbeat_interval).await;
        }
    }
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
