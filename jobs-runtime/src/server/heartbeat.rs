use super::shared::Shared;
use crate::storage::StorageResult;

/// Says again and again that the server lives, until the last of its jobs is given back.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    loop {
        shared.storage().heartbeat(&shared.record).await?;
        shared.health.recovered("heartbeat");
        shared.storage().clock().sleep(shared.settings.heartbeat_interval).await;
    }
}
