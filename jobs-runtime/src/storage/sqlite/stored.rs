//! What is stored of a single job.

use serde_json::json;

use super::{rows::Reader, tx::Tx};
use crate::{
    clock::Timestamp,
    job::{JobId, QueueName},
    state::{HistoryEntry, Processing, StateName},
    storage::{ClaimToken, StorageResult},
};

/// What is stored of a job, as far as a move needs it.
pub(super) struct Stored {
    pub(super) state: StateName,
    pub(super) lost: u32,
    pub(super) id: JobId,
    pub(super) queue: QueueName,
    pub(super) priority: i64,
    pub(super) place: i64,
    pub(super) spent: u32,
    run: Option<StoredRun>,
}

/// The run of a job that is Processing or Succeeded: its history is in its row.
struct StoredRun {
    token: ClaimToken,
    server: String,
    claimed_at: Timestamp,
    end: Option<Success>,
}

/// How a run ended well, as it is stored.
pub(super) struct Success {
    at: Timestamp,
    duration: i64,
    result: String,
}

impl Tx<'_> {
    pub(super) async fn stored(&mut self, id: JobId) -> StorageResult<Option<Stored>> {
        let select = self.sql(
            "SELECT j.id, j.queue, j.priority, j.state, j.place, j.spent, j.lost,
                    COALESCE(s.token, p.token) AS token, COALESCE(s.server, p.server) AS server,
                    COALESCE(s.claimed_at, p.at) AS claimed_at, s.at AS ended_at,
                    s.duration, s.result
             FROM {p}job j
             LEFT JOIN {p}processing p ON p.job = j.id
             LEFT JOIN {p}succeeded s ON s.job = j.id
             WHERE j.id = ?",
        );
        let row = sqlx::query(select).bind(id.as_bytes().to_vec()).fetch_optional(&mut *self.connection).await;
        let row = row.map_err(|error| self.failed(error))?;
        row.map(|row| Stored::read(&Reader { row: &row, shared: self.shared })).transpose()
    }
}

impl Stored {
    fn read(row: &Reader<'_>) -> StorageResult<Self> {
        let run = StoredRun::read(row)?;
        let state = match &run {
            Some(StoredRun { end: Some(_), .. }) => StateName::Succeeded,
            Some(_) => StateName::Processing,
            None => row.state("state")?,
        };
        Ok(Self {
            state,
            lost: row.number("lost")?,
            id: row.id("id")?,
            queue: QueueName::stored(row.get("queue")?),
            priority: row.get("priority")?,
            place: row.get("place")?,
            spent: row.number("spent")?,
            run,
        })
    }

    pub(super) fn held_by(&self, token: ClaimToken) -> bool {
        self.state == StateName::Processing && self.run.as_ref().is_some_and(|run| run.token == token)
    }

    /// The history that is lost with the row the job leaves, and is therefore written out.
    pub(super) fn implied_history(&self) -> Vec<HistoryEntry> {
        self.run.as_ref().map_or_else(Vec::new, |run| run.history(self.spent + 1))
    }
}

impl StoredRun {
    fn read(row: &Reader<'_>) -> StorageResult<Option<Self>> {
        let Some(token) = row.get::<Option<i64>>("token")? else { return Ok(None) };
        let end = Success::read(row)?;
        let (server, claimed_at) = (row.get("server")?, row.time("claimed_at")?);
        Ok(Some(Self { token: ClaimToken(token), server, claimed_at, end }))
    }

    fn history(&self, attempt: u32) -> Vec<HistoryEntry> {
        let processing = Processing { server: self.server.clone(), attempt }.into();
        let begun = HistoryEntry::new(&processing, self.claimed_at, None);
        std::iter::once(begun).chain(self.end.as_ref().map(Success::entry)).collect()
    }
}

impl Success {
    /// From the columns `ended_at`, `duration` and `result`.
    pub(super) fn read(row: &Reader<'_>) -> StorageResult<Option<Self>> {
        let Some(at) = row.optional_time("ended_at")? else { return Ok(None) };
        Ok(Some(Self { at, duration: row.get("duration")?, result: row.get("result")? }))
    }

    /// A result that is nested more deeply than JSON is read is told as the text that it is, so that its job can
    /// be read.
    pub(super) fn entry(&self) -> HistoryEntry {
        let Self { duration, result, .. } = self;
        let data = serde_json::from_str(&format!(r#"{{"duration_us":{duration},"result":{result}}}"#));
        let data = data.unwrap_or_else(|_| json!({ "duration_us": duration, "result": result }));
        HistoryEntry { state: StateName::Succeeded, at: self.at, reason: None, data }
    }
}
