//! The way of a single job from any state to any other: everything but the set-wise usual way.

use super::{
    stored::Stored,
    tx::{Tx, micros},
};
use crate::{
    job::JobId,
    state::{Attempts, HistoryEntry, Scheduled, State, StateName, StateSet, Transition, release},
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
        let parked =
            !matches!(transition.to.name(), StateName::Processing | StateName::Succeeded | StateName::Awaiting);
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

    async fn relocate(&mut self, stored: &Stored, transition: &Transition) -> StorageResult<()> {
        self.leave(stored).await?;
        for entry in stored.implied_history().iter().chain(&transition.history()) {
            self.write_history(stored.id, entry).await?;
        }
        let place = match (&transition.to, transition.to.name()) {
            (State::Scheduled(Scheduled { at }), _) => micros(*at),
            (_, StateName::Enqueued) if transition.keeps_place(stored.state) => stored.place,
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
}
