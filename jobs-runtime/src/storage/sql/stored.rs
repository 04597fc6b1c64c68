//! What is stored of a single job.

use serde_json::json;

use super::{
    rows::Reader,
    session::{Columns, Write, params},
};
use crate::{
    clock::Timestamp,
    job::{JobId, QueueName},
    state::{HistoryEntry, Processing, StateName},
    storage::{ClaimToken, StorageResult},
};

/// What is stored of a job, as far as a move needs it.
pub(crate) struct Stored {
    pub(crate) state: StateName,
    pub(crate) lost: u32,
    pub(crate) id: JobId,
    pub(crate) queue: QueueName,
    pub(crate) priority: i64,
    pub(crate) place: i64,
    pub(crate) spent: u32,
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
pub(crate) struct Success {
    at: Timestamp,
    duration: i64,
    result: String,
}

/// Finds a job; nobody else moves it by this way until the transaction ends.
pub(crate) async fn stored<S: Write>(tx: &mut S, id: JobId) -> StorageResult<Option<Stored>> {
    const SELECT: &str = "
        SELECT j.id, j.queue, j.priority, j.state, j.place, j.spent, j.lost,
               COALESCE(s.token, p.token) AS token, COALESCE(s.server, p.server) AS server,
               COALESCE(s.claimed_at, p.at) AS claimed_at, s.at AS ended_at, s.duration, s.result
        FROM {p}job j
        LEFT JOIN {p}processing p ON p.job = j.id
        LEFT JOIN {p}succeeded s ON s.job = j.id
        WHERE j.id = ?
        {locked}";
    let rows = tx.fetch(SELECT, params![id]).await?;
    let storage = tx.storage();
    rows.first().map(|row| Stored::read(&Reader { row, storage: &storage })).transpose()
}

impl Stored {
    pub(crate) fn read<R: Columns>(row: &Reader<'_, R>) -> StorageResult<Self> {
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
            queue: QueueName::stored(row.text("queue")?),
            priority: row.int("priority")?,
            place: row.int("place")?,
            spent: row.number("spent")?,
            run,
        })
    }

    pub(crate) fn held_by(&self, token: ClaimToken) -> bool {
        self.state == StateName::Processing && self.token() == Some(token)
    }

    /// The delivery of its run, if it is Processing or Succeeded.
    pub(crate) fn token(&self) -> Option<ClaimToken> {
        self.run.as_ref().map(|run| run.token)
    }

    /// The history that is lost with the row the job leaves, and is therefore written out.
    pub(crate) fn implied_history(&self) -> Vec<HistoryEntry> {
        self.run.as_ref().map_or_else(Vec::new, |run| run.history(self.spent + 1))
    }
}

impl StoredRun {
    fn read<R: Columns>(row: &Reader<'_, R>) -> StorageResult<Option<Self>> {
        let Some(token) = row.optional_int("token")? else { return Ok(None) };
        let end = Success::read(row)?;
        let (server, claimed_at) = (row.text("server")?, row.time("claimed_at")?);
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
    pub(crate) fn read<R: Columns>(row: &Reader<'_, R>) -> StorageResult<Option<Self>> {
        let Some(at) = row.optional_time("ended_at")? else { return Ok(None) };
        Ok(Some(Self { at, duration: row.int("duration")?, result: row.text("result")? }))
    }

    /// A result that is nested more deeply than JSON is read is told as the text that it is, so that its job can
    /// be read.
    pub(crate) fn entry(&self) -> HistoryEntry {
        let Self { duration, result, .. } = self;
        let data = serde_json::from_str(&format!(r#"{{"duration_us":{duration},"result":{result}}}"#));
        let data = data.unwrap_or_else(|_| json!({ "duration_us": duration, "result": result }));
        HistoryEntry { state: StateName::Succeeded, at: self.at, reason: None, data }
    }
}
