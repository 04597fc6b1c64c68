use sqlx::{SqlStr, SqliteConnection, sqlite::SqliteRow};

use super::state;
use crate::{
    job::{JobId, JobName, QueueName},
    state::{HistoryEntry, Processing, StateName},
    storage::{
        Initial, JobDetails, JobSummary, StorageResult,
        sqlite::{SqliteStorage, rows::Reader, stored::Success},
    },
};

impl SqliteStorage {
    pub(super) async fn details(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        let select = self.shared.sql.get(
            "SELECT j.*, COALESCE(s.server, p.server) AS server, COALESCE(s.claimed_at, p.at) AS claimed_at,
                    s.at AS ended_at, COALESCE(s.expires_at, j.expires_at) AS expired_at,
                    s.duration, s.result
             FROM {p}job j
             LEFT JOIN {p}processing p ON p.job = j.id
             LEFT JOIN {p}succeeded s ON s.job = j.id
             WHERE j.id = ?",
        );
        let written = self.shared.sql.get("SELECT * FROM {p}history WHERE job = ? ORDER BY seq");
        let (rows, written) = self.rows_of_both(select, written, id).await?;
        let Some(row) = rows.first().map(|row| self.reader(row)) else { return Ok(None) };
        let mut history = vec![beginning(&row)?];
        for row in &written {
            history.push(entry(&self.reader(row))?);
        }
        history.extend(implied_history(&row)?);
        Ok(Some(JobDetails {
            job: summary(&row)?,
            max_attempts: row.get("max_attempts")?,
            lost: row.number("lost")?,
            expires_at: row.optional_time("expired_at")?,
            result: row.get("result")?,
            history,
        }))
    }

    /// What two statements find for a job, at one and the same moment: between two, the job may move on.
    async fn rows_of_both(
        &self,
        first: SqlStr,
        second: SqlStr,
        id: JobId,
    ) -> StorageResult<(Vec<SqliteRow>, Vec<SqliteRow>)> {
        let readers = self.readers.clone();
        let read = async move {
            let mut connection = readers.acquire().await?;
            let found = in_snapshot(&mut connection, first, second, id).await;
            if found.is_err() {
                // It may be left within the transaction.
                connection.close_on_drop();
            }
            found
        };
        self.writer.read(read).await
    }
}

async fn in_snapshot(
    connection: &mut SqliteConnection,
    first: SqlStr,
    second: SqlStr,
    id: JobId,
) -> sqlx::Result<(Vec<SqliteRow>, Vec<SqliteRow>)> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    let first = sqlx::query(first).bind(id.as_bytes().to_vec()).fetch_all(&mut *connection).await?;
    let second = sqlx::query(second).bind(id.as_bytes().to_vec()).fetch_all(&mut *connection).await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok((first, second))
}

/// The columns of [`summary`] are those of `job`, `claimed_at` of its run and `ended_at` of its success.
pub(super) fn summary(row: &Reader<'_>) -> StorageResult<JobSummary> {
    let (state, state_at) = state(row)?;
    let running = matches!(state, StateName::Processing | StateName::Succeeded);
    Ok(JobSummary {
        id: row.id("id")?,
        name: JobName::stored(row.get("type")?, row.get("method")?),
        arguments: row.get("arguments")?,
        queue: QueueName::stored(row.get("queue")?),
        priority: row.get("priority")?,
        state,
        state_at,
        created_at: row.time("created_at")?,
        attempts: row.number("spent")? + u32::from(running),
        recurrence: row.recurrence()?,
    })
}

/// The state in which the job was created.
fn beginning(row: &Reader<'_>) -> StorageResult<HistoryEntry> {
    let initial = match (row.optional_time("due_at")?, row.optional_id("parent")?) {
        (Some(at), _) => Initial::Scheduled(at),
        (None, Some(parent)) => Initial::Awaiting(parent),
        (None, None) => Initial::Enqueued,
    };
    Ok(HistoryEntry::new(&initial.state(), row.time("created_at")?, None))
}

/// The run that a row of `processing` or `succeeded` tells of.
fn implied_history(row: &Reader<'_>) -> StorageResult<Vec<HistoryEntry>> {
    let Some(claimed_at) = row.optional_time("claimed_at")? else { return Ok(Vec::new()) };
    let processing = Processing { server: row.get("server")?, attempt: row.number("spent")? + 1 };
    let mut history = vec![HistoryEntry::new(&processing.into(), claimed_at, None)];
    history.extend(Success::read(row)?.map(|success| success.entry()));
    Ok(history)
}

fn entry(row: &Reader<'_>) -> StorageResult<HistoryEntry> {
    Ok(HistoryEntry {
        state: row.state("state")?,
        at: row.time("at")?,
        reason: row.get("reason")?,
        data: row.json("data")?,
    })
}
