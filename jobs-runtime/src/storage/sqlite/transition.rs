//! The way of a single job from any state to any other: everything but the set-wise usual way.

use super::{
    rows::Reader,
    tx::{Tx, micros},
};
use crate::{
    clock::Timestamp,
    job::{JobId, QueueName},
    state::{Attempts, HistoryEntry, Processing, Scheduled, State, StateName, StateSet, Transition, release},
    storage::{ClaimToken, StorageResult},
};

/// The condition of a move.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    Claim(ClaimToken),
    States(StateSet),
}

/// Why a job was not moved.
pub(super) enum Refusal {
    State(StateName),
    NotFound,
}

/// What is stored of a job, as far as a move needs it.
pub(super) struct Stored {
    pub(super) state: StateName,
    pub(super) lost: u32,
    id: JobId,
    queue: QueueName,
    priority: i64,
    place: i64,
    spent: u32,
    run: Option<StoredRun>,
}

/// The run of a job that is Processing or Succeeded: its history is in its row.
struct StoredRun {
    token: ClaimToken,
    server: String,
    claimed_at: Timestamp,
    end: Option<(Timestamp, String)>,
}

impl Tx<'_> {
    /// Moves a job if it is as expected, and then those that awaited it.
    pub(super) async fn apply(
        &mut self,
        id: JobId,
        expected: Expected,
        transition: &Transition,
    ) -> StorageResult<Result<StateName, Refusal>> {
        let Some(stored) = self.stored(id).await? else { return Ok(Err(Refusal::NotFound)) };
        let from = stored.state;
        let holds = match expected {
            Expected::Claim(token) => stored.held_by(token),
            Expected::States(states) => states.contains(from),
        };
        let parked = !matches!(transition.to.name(), StateName::Processing | StateName::Succeeded);
        if !holds || !parked {
            return Ok(Err(Refusal::State(from)));
        }
        self.relocate(&stored, transition).await?;
        if let Some((next, reason)) = release(transition.to.name()) {
            self.release(id, next, reason).await?;
        }
        Ok(Ok(from))
    }

    /// Moves a job that is known to be there, without those that await it.
    pub(super) async fn apply_one(&mut self, id: JobId, transition: Transition) -> StorageResult<()> {
        match self.stored(id).await? {
            Some(stored) => self.relocate(&stored, &transition).await,
            None => Ok(()),
        }
    }

    pub(super) async fn stored(&mut self, id: JobId) -> StorageResult<Option<Stored>> {
        let select = self.sql(
            "SELECT j.id, j.queue, j.priority, j.state, j.place, j.spent, j.lost,
                    COALESCE(s.token, p.token) AS token, COALESCE(s.server, p.server) AS server,
                    COALESCE(s.claimed_at, p.at) AS claimed_at, s.at AS ended_at,
                    json_object('result', json(s.result), 'duration_us', s.duration) AS ended
             FROM {p}job j
             LEFT JOIN {p}processing p ON p.job = j.id
             LEFT JOIN {p}succeeded s ON s.job = j.id
             WHERE j.id = ?",
        );
        let row = sqlx::query(select).bind(id.as_bytes().to_vec()).fetch_optional(&mut *self.connection).await;
        let row = row.map_err(|error| self.failed(error))?;
        row.map(|row| Stored::read(&Reader { row: &row, shared: self.shared })).transpose()
    }

    /// The jobs that await one of `parents`.
    pub(super) async fn children(&mut self, parents: &[u8]) -> StorageResult<Vec<JobId>> {
        let select = self.sql(
            "WITH RECURSIVE {ids}
             SELECT a.job FROM ids CROSS JOIN {p}awaiting a ON a.parent = ids.job",
        );
        let rows = sqlx::query(select).bind(parents.to_vec()).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        rows.iter().map(|row| Reader { row, shared: self.shared }.id("job")).collect()
    }

    async fn relocate(&mut self, stored: &Stored, transition: &Transition) -> StorageResult<()> {
        self.leave(stored).await?;
        for entry in stored.implied_history().iter().chain(&transition.history()) {
            self.write_history(stored.id, entry).await?;
        }
        let place = match (&transition.to, transition.to.name()) {
            (State::Scheduled(Scheduled { at }), _) => micros(*at),
            (_, StateName::Enqueued) => self.numbers(1).await?,
            _ => micros(transition.at),
        };
        self.update_job(stored, transition, place).await?;
        self.enter(stored, transition.to.name(), place).await?;
        self.count(transition.to.name(), 1).await
    }

    async fn leave(&mut self, stored: &Stored) -> StorageResult<()> {
        let by_place = |table: &'static str| (table, true);
        let (delete, placed) = match stored.state {
            StateName::Enqueued => return self.leave_ready(stored).await,
            StateName::Scheduled => by_place("DELETE FROM {p}scheduled WHERE job = ? AND at = ?"),
            StateName::Failed => by_place("DELETE FROM {p}failed WHERE job = ? AND at = ?"),
            StateName::Deleted => by_place("DELETE FROM {p}deleted WHERE job = ? AND at = ?"),
            StateName::Awaiting => ("DELETE FROM {p}awaiting WHERE job = ?", false),
            StateName::Processing => ("DELETE FROM {p}processing WHERE job = ?", false),
            StateName::Succeeded => ("DELETE FROM {p}succeeded WHERE job = ?", false),
        };
        let query = sqlx::query(self.sql(delete)).bind(stored.id.as_bytes().to_vec());
        let query = if placed { query.bind(stored.place) } else { query };
        query.execute(&mut *self.connection).await.map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn leave_ready(&mut self, stored: &Stored) -> StorageResult<()> {
        let delete = self.sql("DELETE FROM {p}ready WHERE queue = ? AND rank = ? AND seq = ?");
        sqlx::query(delete)
            .bind(stored.queue.as_str().to_owned())
            .bind(-stored.priority)
            .bind(stored.place)
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn enter(&mut self, stored: &Stored, state: StateName, place: i64) -> StorageResult<()> {
        self.effects.entered(state);
        let insert = match state {
            StateName::Enqueued => "INSERT INTO {p}ready (job, seq, queue, rank) VALUES (?, ?, ?, ?)",
            StateName::Scheduled => "INSERT INTO {p}scheduled (job, at) VALUES (?, ?)",
            StateName::Failed => "INSERT INTO {p}failed (job, at) VALUES (?, ?)",
            StateName::Deleted => "INSERT INTO {p}deleted (job, at) VALUES (?, ?)",
            StateName::Awaiting | StateName::Processing | StateName::Succeeded => return Ok(()),
        };
        let query = sqlx::query(self.sql(insert)).bind(stored.id.as_bytes().to_vec()).bind(place);
        let query = match state {
            StateName::Enqueued => query.bind(stored.queue.as_str().to_owned()).bind(-stored.priority),
            _ => query,
        };
        query.execute(&mut *self.connection).await.map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn update_job(&mut self, stored: &Stored, transition: &Transition, place: i64) -> StorageResult<()> {
        let state = transition.to.name();
        let (spent, lost) = match transition.attempts {
            Attempts::Keep => (stored.spent, stored.lost),
            Attempts::Spend => (stored.spent + 1, stored.lost),
            Attempts::Lose => (stored.spent + 1, stored.lost + 1),
            Attempts::Reset => (0, 0),
        };
        let expires_at = self.shared.options.retention.expires_at(state, transition.at);
        let update = self.sql(
            "UPDATE {p}job
             SET state = ?, state_at = ?, place = ?, spent = ?, lost = ?, expires_at = ?
             WHERE id = ?",
        );
        sqlx::query(update)
            .bind(state.as_str())
            .bind(micros(transition.at))
            .bind(place)
            .bind(i64::from(spent))
            .bind(i64::from(lost))
            .bind(expires_at.map(micros))
            .bind(stored.id.as_bytes().to_vec())
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn write_history(&mut self, id: JobId, entry: &HistoryEntry) -> StorageResult<()> {
        let insert = self.sql("INSERT INTO {p}history (job, state, at, reason, data) VALUES (?, ?, ?, ?, ?)");
        sqlx::query(insert)
            .bind(id.as_bytes().to_vec())
            .bind(entry.state.as_str())
            .bind(micros(entry.at))
            .bind(entry.reason.clone())
            .bind(entry.data.to_string())
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Adds to the statistics of the present hour.
    pub(super) async fn count(&mut self, state: StateName, jobs: u64) -> StorageResult<()> {
        let upsert = match state {
            StateName::Succeeded => COUNT_SUCCEEDED,
            StateName::Failed => COUNT_FAILED,
            StateName::Deleted => COUNT_DELETED,
            _ => return Ok(()),
        };
        let hour = crate::storage::Period::Hour.start(self.now);
        sqlx::query(self.sql(upsert))
            .bind(hour)
            .bind(i64::try_from(jobs).unwrap_or(i64::MAX))
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }
}

const COUNT_SUCCEEDED: &str = "
    INSERT INTO {p}statistics (hour, succeeded, failed, deleted) VALUES (?1, ?2, 0, 0)
    ON CONFLICT (hour) DO UPDATE SET succeeded = succeeded + ?2";
const COUNT_FAILED: &str = "
    INSERT INTO {p}statistics (hour, succeeded, failed, deleted) VALUES (?1, 0, ?2, 0)
    ON CONFLICT (hour) DO UPDATE SET failed = failed + ?2";
const COUNT_DELETED: &str = "
    INSERT INTO {p}statistics (hour, succeeded, failed, deleted) VALUES (?1, 0, 0, ?2)
    ON CONFLICT (hour) DO UPDATE SET deleted = deleted + ?2";

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

    fn held_by(&self, token: ClaimToken) -> bool {
        self.state == StateName::Processing && self.run.as_ref().is_some_and(|run| run.token == token)
    }

    /// The history that is lost with the row the job leaves, and is therefore written out.
    fn implied_history(&self) -> Vec<HistoryEntry> {
        self.run.as_ref().map_or_else(Vec::new, |run| run.history(self.spent + 1))
    }
}

impl StoredRun {
    fn read(row: &Reader<'_>) -> StorageResult<Option<Self>> {
        let Some(token) = row.get::<Option<i64>>("token")? else { return Ok(None) };
        let end = match row.optional_time("ended_at")? {
            Some(at) => Some((at, row.get("ended")?)),
            None => None,
        };
        let (server, claimed_at) = (row.get("server")?, row.time("claimed_at")?);
        Ok(Some(Self { token: ClaimToken(token), server, claimed_at, end }))
    }

    fn history(&self, attempt: u32) -> Vec<HistoryEntry> {
        let processing = Processing { server: self.server.clone(), attempt }.into();
        let begun = HistoryEntry::new(&processing, self.claimed_at, None);
        let ended = self.end.as_ref().map(|(at, data)| HistoryEntry {
            state: StateName::Succeeded,
            at: *at,
            reason: None,
            data: serde_json::from_str(data).unwrap_or_default(),
        });
        std::iter::once(begun).chain(ended).collect()
    }
}
