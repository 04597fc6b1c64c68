//! Awaiting a job in a transaction of the application's.
//!
//! Such a transaction is REPEATABLE READ unless the application says otherwise. Then what it reads is old, and what it
//! reads to lock is locked together with the gaps around it: to look for a row that isn't there, of a run in `processing`,
//! say, would keep everyone from claiming until the application commits. So only rows that are there are locked in it; and
//! where a job is whose body doesn't tell is asked on a connection of its own.

use std::sync::Arc;

use sqlx::{ConnectOptions as _, MySqlConnection, SqlStr, mysql::MySqlRow};
use tokio::{sync::Mutex, time::timeout};

use super::session::Tx;
use crate::{
    job::JobId,
    state::StateName,
    storage::{
        StorageResult,
        sql::{Reader, Session as _, Stored, params, pooled::LOOK},
    },
};

/// A connection that is opened when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Beside(Arc<Mutex<Option<MySqlConnection>>>);

/// Locks the body of a job, and finds out where it is.
pub(super) async fn find(tx: &mut Tx<'_>, id: JobId) -> StorageResult<Option<Stored>> {
    const LOCK: &str = "
        SELECT id, queue, priority, state, place, spent, lost, NULL AS token, NULL AS server, NULL AS claimed_at,
               NULL AS ended_at, NULL AS duration, NULL AS result
        FROM {p}job
        WHERE id = ?
        FOR UPDATE";
    let rows = tx.fetch(LOCK, params![id]).await?;
    let Some(body) = first(tx, &rows)? else { return Ok(None) };
    if body.state != StateName::Enqueued {
        return Ok(Some(body));
    }
    let rows = look(tx, id).await?;
    // A job that others can't see was stored in this very transaction, and still waits.
    Ok(Some(first(tx, &rows)?.unwrap_or(body)))
}

fn first(tx: &Tx<'_>, rows: &[MySqlRow]) -> StorageResult<Option<Stored>> {
    let storage = tx.storage();
    rows.first().map(|row| Stored::read(&Reader { row, storage: &storage })).transpose()
}

/// Reads what is committed by now.
async fn look(tx: &Tx<'_>, id: JobId) -> StorageResult<Vec<MySqlRow>> {
    const SELECT: &str = "
        SELECT j.id, j.queue, j.priority, j.state, j.place, j.spent, j.lost,
               COALESCE(s.token, p.token) AS token, COALESCE(s.server, p.server) AS server,
               COALESCE(s.claimed_at, p.at) AS claimed_at, s.at AS ended_at, s.duration, s.result
        FROM {p}job j
        LEFT JOIN {p}processing p ON p.job = j.id
        LEFT JOIN {p}succeeded s ON s.job = j.id
        WHERE j.id = ?";
    let (place, connect) = (Arc::clone(&tx.shared.driver.beside.0), tx.shared.pool.connect_options());
    let select = tx.shared.sql.get(SELECT);
    let looking = async move {
        let mut place = place.lock().await;
        // While it is in use it is not in its place: if this takes too long, it is dropped.
        if let Some(mut connection) = place.take()
            && let Ok(Ok(rows)) = timeout(LOOK, fetch(&mut connection, select.clone(), id)).await
        {
            *place = Some(connection);
            return Ok(rows);
        }
        // It was idle for too long, say.
        let mut connection = connect.connect().await?;
        let rows = fetch(&mut connection, select, id).await?;
        *place = Some(connection);
        Ok(rows)
    };
    let in_time = timeout(tx.shared.common.transaction_timeout, looking);
    match tx.shared.thread.spawn(in_time).await {
        Ok(Ok(looked)) => looked.map_err(|error| tx.shared.failed(error)),
        Ok(Err(_)) => Err(tx.shared.too_late()),
        Err(_) => Err(tx.shared.failed(sqlx::Error::WorkerCrashed)),
    }
}

async fn fetch(connection: &mut MySqlConnection, select: SqlStr, id: JobId) -> sqlx::Result<Vec<MySqlRow>> {
    sqlx::query(select).bind(id.as_bytes().to_vec()).fetch_all(connection).await
}

/// Notes where the job waits or runs that it is awaited; returns whether it was still there.
///
/// The row is written as if it were new, because an update that doesn't find it would lock the gap. A new one is of nobody,
/// and is taken away again.
pub(super) async fn note(tx: &mut Tx<'_>, stored: &Stored) -> StorageResult<bool> {
    let nobody = JobId::from_bytes([0; 16]);
    let taken_away = match stored.state {
        StateName::Enqueued => {
            const INSERT: &str = "
                INSERT INTO {p}ready (queue, {rank}, seq, job, awaited)
                VALUES (?, ?, ?, ?, true)
                ON DUPLICATE KEY UPDATE awaited = true";
            const DELETE: &str = "DELETE FROM {p}ready WHERE queue = ? AND {rank} = ? AND seq = ? AND job = ?";
            let row = params![stored.queue.as_str(), -stored.priority, stored.place, nobody];
            tx.execute(INSERT, row.clone()).await?;
            tx.execute(DELETE, row).await?
        }
        StateName::Processing => {
            const INSERT: &str = "
                INSERT INTO {p}processing (job, token, server, at, awaited)
                VALUES (?, -1, '', 0, true)
                ON DUPLICATE KEY UPDATE awaited = true";
            tx.execute(INSERT, params![stored.id]).await?;
            tx.execute("DELETE FROM {p}processing WHERE job = ? AND token = -1", params![stored.id]).await?
        }
        // It can't move while its body is locked.
        _ => 0,
    };
    Ok(taken_away == 0)
}
