use tracing::{error, warn};

use super::shared::Shared;
use crate::{
    state::StateName,
    storage::{Rescue, Rescued, StorageResult},
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
        rescued.iter().for_each(report);
        shared.health.recovered("rescue");
        if rescued.len() < BATCH {
            shared.storage().clock().sleep(settings.heartbeat_interval).await;
        }
    }
}

fn report(rescued: &Rescued) {
    let Rescued { job, server, to } = rescued;
    if *to == StateName::Failed {
        error!(job.id = %job, %server, "job failed: it was lost with its server too often");
    } else {
        warn!(job.id = %job, %server, "job taken back from a server that stopped beating");
    }
}
