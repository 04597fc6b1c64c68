//! Notices what other processes write to the file.

use sqlx::SqliteConnection;
use tracing::warn;

use super::Shared;

/// Wakes all waiters whenever another connection has committed.
///
/// `PRAGMA data_version` costs no disk access: it compares a counter in shared memory.
pub(super) async fn watch(mut connection: SqliteConnection, shared: &Shared) {
    let mut known = None;
    loop {
        tokio::time::sleep(shared.options.poll_interval).await;
        match sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(&mut connection).await {
            Ok(version) if known == Some(version) => {}
            Ok(version) => {
                known = Some(version);
                shared.signals.notify_all();
            }
            Err(error) => {
                warn!(storage = %shared.url(), %error, "can't read the SQLite file's version");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}
