use super::{
    rows::{Reader, claim},
    tx::{Tx, Verb, micros},
};
use crate::{
    job::JobId,
    storage::{ClaimToken, ServerId, ServerRecord, StorageResult},
};

/// A server lives.
pub(super) struct Heartbeat(pub(super) ServerRecord);

impl Verb for Heartbeat {
    type Answer = Vec<(JobId, ClaimToken)>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let upsert = tx.sql(
            "INSERT INTO {p}server (id, started_at, queues, workers, heartbeat_at)
             VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at",
        );
        let server = &self.0;
        sqlx::query(upsert)
            .bind(server.id.to_string())
            .bind(micros(server.started_at))
            .bind(serde_json::to_string(&server.queues).unwrap_or_default())
            .bind(server.workers as i64)
            .bind(micros(tx.now))
            .execute(&mut *tx.connection)
            .await
            .map_err(|error| tx.failed(error))?;
        held(tx, &server.id).await
    }
}

/// The claims that a server holds.
async fn held(tx: &mut Tx<'_>, server: &ServerId) -> StorageResult<Vec<(JobId, ClaimToken)>> {
    let select = tx.sql("SELECT job, token FROM {p}processing WHERE server = ?");
    let rows = sqlx::query(select).bind(server.to_string()).fetch_all(&mut *tx.connection).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    rows.iter().map(|row| claim(&Reader { row, shared: tx.shared })).collect()
}

/// A server has shut down.
pub(super) struct Retire(pub(super) ServerId);

impl Verb for Retire {
    type Answer = ();

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        let delete = tx.sql("DELETE FROM {p}server WHERE id = ?");
        sqlx::query(delete)
            .bind(self.0.to_string())
            .execute(&mut *tx.connection)
            .await
            .map_err(|error| tx.failed(error))?;
        Ok(())
    }
}
