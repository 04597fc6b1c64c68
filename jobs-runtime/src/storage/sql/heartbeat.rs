use super::{
    rows::claim,
    session::{Verb, Write, params, read},
};
use crate::{
    job::JobId,
    storage::{ClaimToken, ServerId, ServerRecord, StorageResult},
};

/// A server lives.
pub(crate) struct Heartbeat(pub(crate) ServerRecord);

impl Verb for Heartbeat {
    type Answer = Vec<(JobId, ClaimToken)>;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        const INSERT: &str = "
            {insert_new} INTO {p}server (id, started_at, queues, workers, heartbeat_at)
            VALUES (?, ?, ?, ?, ?)
            {if_new}";
        let (server, now) = (&self.0, tx.now());
        let id = server.id.as_str();
        let beaten = tx.execute("UPDATE {p}server SET heartbeat_at = ? WHERE id = ?", params![now, id]).await?;
        if beaten == 0 {
            // A server beats from two places: when its row was removed, both find none.
            let queues = serde_json::to_string(&server.queues).unwrap_or_default();
            tx.execute(INSERT, params![id, server.started_at, queues, server.workers, now]).await?;
        }
        let rows = tx.fetch("SELECT job, token FROM {p}processing WHERE server = ?", params![id]).await?;
        read(tx, &rows, claim)
    }
}

/// A server has shut down.
pub(crate) struct Retire(pub(crate) ServerId);

impl Verb for Retire {
    type Answer = ();

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<()> {
        tx.execute("DELETE FROM {p}server WHERE id = ?", params![self.0.as_str()]).await?;
        Ok(())
    }
}
