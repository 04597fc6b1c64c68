use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::runtime::Handle;
use tracing::debug;

use super::MySql;
use crate::storage::sql::pooled;

type Shared = pooled::Shared<MySql>;

/// How many of the newest tickets stay: those that someone may look for.
const KEPT: i64 = 10_000;

/// How many are removed with one statement.
const PIECE: u64 = 10_000;

/// Removes old tickets as often as counters are summed up, for as long as there is the storage: there is one for each
/// transaction that ever wrote something.
pub(super) fn start(thread: &Handle, shared: &Arc<Shared>) {
    shared.beside(thread, follow(Arc::downgrade(shared), shared.common.intervals.counters_aggregation));
}

async fn follow(shared: Weak<Shared>, interval: Duration) {
    loop {
        // Not at the same time as all other processes.
        tokio::time::sleep(interval.mul_f64(fastrand::f64() + 0.5)).await;
        let Some(storage) = shared.upgrade() else { return };
        if let Err(error) = remove_old(&storage).await {
            debug!(%error, "old tickets could not be removed");
        }
    }
}

/// The newest stays also when it is old: new ones are counted from it on.
async fn remove_old(storage: &Shared) -> sqlx::Result<()> {
    let select = storage.sql.get("SELECT COALESCE(MAX(id), 0) FROM {p}ticket");
    let newest: i64 = sqlx::query_scalar(select).fetch_one(&storage.pool).await?;
    let delete = storage.sql.get("DELETE FROM {p}ticket WHERE id <= ? ORDER BY id LIMIT ?");
    loop {
        let delete = sqlx::query(delete.clone()).bind(newest - KEPT).bind(PIECE as i64);
        if delete.execute(&storage.pool).await?.rows_affected() < PIECE {
            return Ok(());
        }
    }
}
