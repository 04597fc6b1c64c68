//! The way of a single job from any state to any other: everything but the set-wise usual way.

use super::{
    continuation,
    session::{Write, params},
    stored::Stored,
};
use crate::{
    job::{JobId, Parameters},
    state::{Attempts, HistoryEntry, Scheduled, State, StateName, StateSet, Transition, release},
    storage::{ClaimToken, StorageResult},
};

/// The condition of a move.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    Claim(ClaimToken),
    States(StateSet),
}

/// Why a job was not moved.
pub(crate) enum Refusal {
    State(StateName),
    NotFound,
}

/// Moves a job if it is as expected, and then those that awaited it.
pub(crate) async fn apply<S: Write>(
    tx: &mut S,
    id: JobId,
    expected: Expected,
    transition: &Transition,
) -> StorageResult<Result<StateName, Refusal>> {
    loop {
        let Some(stored) = tx.find(id).await? else { return Ok(Err(Refusal::NotFound)) };
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
        if !relocate(tx, &stored, transition).await? {
            continue;
        }
        if let Some((next, reason)) = release(transition.to.name()) {
            continuation::release(tx, id, next, reason).await?;
        }
        return Ok(Ok(from));
    }
}

/// Moves a job that awaits another, without those that await it; nothing if it does no longer.
pub(crate) async fn apply_to_child<S: Write>(tx: &mut S, id: JobId, transition: Transition) -> StorageResult<bool> {
    match tx.find(id).await? {
        Some(stored) if stored.state == StateName::Awaiting => relocate(tx, &stored, &transition).await,
        _ => Ok(false),
    }
}

/// Moves a job from where it was found; returns whether it still was there: the usual way, from queue to success, waits
/// for no lock.
async fn relocate<S: Write>(tx: &mut S, stored: &Stored, transition: &Transition) -> StorageResult<bool> {
    if !leave(tx, stored).await? {
        return Ok(false);
    }
    for entry in stored.implied_history().iter().chain(&transition.history()) {
        write_history(tx, stored.id, entry).await?;
    }
    let place = match (&transition.to, transition.to.name()) {
        (State::Scheduled(Scheduled { at }), _) => at.timestamp_micros(),
        (_, StateName::Enqueued) if transition.keeps_place(stored.state) => stored.place,
        (_, StateName::Enqueued) => tx.next_place().await?,
        _ => transition.at.timestamp_micros(),
    };
    update_job(tx, stored, transition, place).await?;
    enter(tx, stored, transition.to.name(), place).await?;
    tx.count(transition.to.name(), 1).await?;
    Ok(true)
}

/// Takes a job from where it was found; returns whether it still was there.
async fn leave<S: Write>(tx: &mut S, stored: &Stored) -> StorageResult<bool> {
    let (id, place, token) = (stored.id, stored.place, stored.token().map(|token| token.0));
    let left = match stored.state {
        StateName::Enqueued => {
            const DELETE: &str = "DELETE FROM {p}ready WHERE queue = ? AND {rank} = ? AND seq = ?";
            tx.execute(DELETE, params![stored.queue.as_str(), -stored.priority, place]).await?
        }
        StateName::Scheduled => {
            tx.execute("DELETE FROM {p}scheduled WHERE at = ? AND job = ?", params![place, id]).await?
        }
        StateName::Failed => tx.execute("DELETE FROM {p}failed WHERE at = ? AND job = ?", params![place, id]).await?,
        StateName::Deleted => tx.execute("DELETE FROM {p}deleted WHERE at = ? AND job = ?", params![place, id]).await?,
        StateName::Awaiting => tx.execute("DELETE FROM {p}awaiting WHERE job = ?", params![id]).await?,
        StateName::Processing => {
            tx.execute("DELETE FROM {p}processing WHERE job = ? AND token = ?", params![id, token]).await?
        }
        StateName::Succeeded => {
            tx.execute("DELETE FROM {p}succeeded WHERE job = ? AND token = ?", params![id, token]).await?
        }
    };
    Ok(left == 1)
}

async fn enter<S: Write>(tx: &mut S, stored: &Stored, state: StateName, place: i64) -> StorageResult<()> {
    tx.effects().entered(state);
    let id = stored.id;
    match state {
        StateName::Enqueued => return tx.wait_in_queue(stored, place).await,
        StateName::Scheduled => {
            tx.execute("INSERT INTO {p}scheduled (job, at) VALUES (?, ?)", params![id, place]).await?
        }
        StateName::Failed => tx.execute("INSERT INTO {p}failed (job, at) VALUES (?, ?)", params![id, place]).await?,
        StateName::Deleted => tx.execute("INSERT INTO {p}deleted (job, at) VALUES (?, ?)", params![id, place]).await?,
        StateName::Awaiting | StateName::Processing | StateName::Succeeded => 0,
    };
    Ok(())
}

async fn update_job<S: Write>(tx: &mut S, stored: &Stored, transition: &Transition, place: i64) -> StorageResult<()> {
    const UPDATE: &str = "
        UPDATE {p}job
        SET state = ?, state_at = ?, place = ?, spent = ?, lost = ?, expires_at = ?,
            parameters = COALESCE(?, parameters)
        WHERE id = ?";
    let state = transition.to.name();
    let (spent, lost) = match transition.attempts {
        Attempts::Keep => (stored.spent, stored.lost),
        Attempts::Spend => (stored.spent + 1, stored.lost),
        Attempts::Lose => (stored.spent + 1, stored.lost + 1),
        Attempts::Reset => (0, 0),
    };
    let expires_at = tx.retention().expiry(transition);
    let parameters = transition.parameters.as_ref().map(Parameters::to_string);
    let params = params![state.as_str(), transition.at, place, spent, lost, expires_at, parameters, stored.id];
    tx.execute(UPDATE, params).await?;
    Ok(())
}

async fn write_history<S: Write>(tx: &mut S, id: JobId, entry: &HistoryEntry) -> StorageResult<()> {
    const INSERT: &str = "INSERT INTO {p}history (job, state, at, reason, data) VALUES (?, ?, ?, ?, ?)";
    let params = params![id, entry.state.as_str(), entry.at, entry.reason.clone(), entry.data.to_string()];
    tx.execute(INSERT, params).await?;
    Ok(())
}
