//! The read side: connections of its own, so that a slow page never holds up a commit.

mod details;
pub(super) mod list;

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::{
    Sqlite,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    SqliteStorage,
    rows::{Reader, claim},
    tx::packed,
};
use crate::{
    clock::Timestamp,
    job::{JobId, QueueName},
    schedule::ScheduleId,
    state::StateName,
    storage::{
        ClaimToken, Count, Counts, JobDetails, JobFilter, JobPage, Monitor, PageRequest, Period, QueueStatus, ServerId,
        ServerRecord, ServerStatus, Statistics, StorageResult, StoredSchedule,
    },
};

#[async_trait]
impl Monitor for SqliteStorage {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        self.details(id).await
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        self.list(filter, page).await
    }

    async fn counts(&self) -> StorageResult<Counts> {
        let select = self.shared.sql.get(
            "SELECT 'enqueued' AS state, (SELECT count(*) FROM (SELECT 1 FROM {p}ready LIMIT ?1)) AS counted
             UNION ALL SELECT 'scheduled', (SELECT count(*) FROM (SELECT 1 FROM {p}scheduled LIMIT ?1))
             UNION ALL SELECT 'awaiting', (SELECT count(*) FROM (SELECT 1 FROM {p}awaiting LIMIT ?1))
             UNION ALL SELECT 'processing', (SELECT count(*) FROM (SELECT 1 FROM {p}processing LIMIT ?1))
             UNION ALL SELECT 'succeeded', (SELECT count(*) FROM (SELECT 1 FROM {p}succeeded LIMIT ?1))
             UNION ALL SELECT 'failed', (SELECT count(*) FROM (SELECT 1 FROM {p}failed LIMIT ?1))
             UNION ALL SELECT 'deleted', (SELECT count(*) FROM (SELECT 1 FROM {p}deleted LIMIT ?1))",
        );
        let rows = self.rows(sqlx::query(select).bind(cap())).await?;
        let mut counts = Counts::default();
        for row in &rows {
            let reader = self.reader(row);
            counts.set(reader.state("state")?, count(&reader)?);
        }
        Ok(counts)
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        // Jumps from queue to queue in the index instead of reading all of it.
        let select = self.shared.sql.get(
            "WITH RECURSIVE queues (queue) AS (
                 SELECT min(queue) FROM {p}ready
                 UNION ALL
                 SELECT (SELECT min(r.queue) FROM {p}ready r WHERE r.queue > queues.queue)
                 FROM queues WHERE queue IS NOT NULL
             )
             SELECT queue,
                    (SELECT count(*) FROM (SELECT 1 FROM {p}ready r WHERE r.queue = queues.queue LIMIT ?1)) AS counted
             FROM queues WHERE queue IS NOT NULL",
        );
        let rows = self.rows(sqlx::query(select).bind(cap())).await?;
        let queue = |row| {
            let row = self.reader(row);
            Ok(QueueStatus { name: QueueName::stored(row.get("queue")?), enqueued: Count::of(count(&row)?) })
        };
        rows.iter().map(queue).collect()
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        let select = self.shared.sql.get(
            "SELECT server.*, (SELECT count(*) FROM {p}processing p WHERE p.server = server.id) AS counted
             FROM {p}server AS server
             ORDER BY server.id",
        );
        let rows = self.rows(sqlx::query(select)).await?;
        rows.iter().map(|row| server(&self.reader(row))).collect()
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        let select = self.shared.sql.get("SELECT * FROM {p}statistics WHERE hour >= ? AND hour < ? ORDER BY hour");
        let rows = self.rows(sqlx::query(select).bind(from.timestamp()).bind(until.timestamp())).await?;
        let hours: StorageResult<Vec<(i64, Statistics)>> =
            rows.iter().map(|row| statistics(&self.reader(row))).collect();
        Ok(Statistics::grouped(period, hours?))
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        let select = self.shared.sql.get(
            "SELECT COALESCE(min(hour), 0) AS hour, COALESCE(sum(succeeded), 0) AS succeeded,
                    COALESCE(sum(failed), 0) AS failed, COALESCE(sum(deleted), 0) AS deleted
             FROM {p}statistics",
        );
        let rows = self.rows(sqlx::query(select)).await?;
        let total = rows.first().map(|row| statistics(&self.reader(row))).transpose()?;
        Ok(total.map(|(_, total)| total).unwrap_or_default())
    }

    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        self.find_schedule(id).await
    }

    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>> {
        self.find_schedules(after, limit).await
    }
}

impl SqliteStorage {
    /// Which of these claims no longer hold.
    pub(super) async fn find_revoked(
        &self,
        claims: Vec<(JobId, ClaimToken)>,
    ) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let select = self.shared.sql.get(
            "WITH RECURSIVE {ids}
             SELECT p.job, p.token FROM ids CROSS JOIN {p}processing p ON p.job = ids.job",
        );
        let ids = packed(claims.iter().map(|(id, _)| id));
        let (reader, select) = (self.server_reader.clone(), sqlx::query(select).bind(ids));
        let rows = self.writer.read(async move { select.fetch_all(&reader).await }).await?;
        let held = rows.iter().map(|row| claim(&self.reader(row))).collect::<StorageResult<HashSet<_>>>()?;
        Ok(claims.into_iter().filter(|claim| !held.contains(claim)).collect())
    }

    pub(super) fn reader<'r>(&'r self, row: &'r SqliteRow) -> Reader<'r> {
        Reader { row, shared: &self.shared }
    }

    pub(super) async fn rows(&self, query: Query<'static, Sqlite, SqliteArguments>) -> StorageResult<Vec<SqliteRow>> {
        let readers = self.readers.clone();
        self.writer.read(async move { query.fetch_all(&readers).await }).await
    }
}

/// One more than is counted.
fn cap() -> i64 {
    i64::try_from(Count::CAP + 1).unwrap_or(i64::MAX)
}

fn count(row: &Reader<'_>) -> StorageResult<u64> {
    Ok(u64::from(row.number("counted")?))
}

fn server(row: &Reader<'_>) -> StorageResult<ServerStatus> {
    let server = ServerRecord {
        id: ServerId::new(row.get::<String>("id")?),
        started_at: row.time("started_at")?,
        queues: row.json("queues")?,
        workers: row.number("workers")? as usize,
    };
    Ok(ServerStatus { server, heartbeat_at: row.time("heartbeat_at")?, processing: Count::of(count(row)?) })
}

fn statistics(row: &Reader<'_>) -> StorageResult<(i64, Statistics)> {
    let number = |column| row.get::<i64>(column).map(|number| u64::try_from(number).unwrap_or(0));
    let hour: i64 = row.get("hour")?;
    let from = Timestamp::from_timestamp(hour, 0).unwrap_or_default();
    let (succeeded, failed, deleted) = (number("succeeded")?, number("failed")?, number("deleted")?);
    Ok((hour, Statistics { from, succeeded, failed, deleted }))
}

/// The time since which a job is in the state it is in, and that state, from the
/// columns `state` and `state_at` of the job, `claimed_at` of its run and `ended_at` of its success.
fn state(row: &Reader<'_>) -> StorageResult<(StateName, Timestamp)> {
    if let Some(at) = row.optional_time("ended_at")? {
        return Ok((StateName::Succeeded, at));
    }
    match row.optional_time("claimed_at")? {
        Some(at) => Ok((StateName::Processing, at)),
        None => Ok((row.state("state")?, row.time("state_at")?)),
    }
}
