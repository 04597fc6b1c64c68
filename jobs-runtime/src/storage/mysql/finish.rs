use std::collections::{HashMap, HashSet};

use super::{
    MySql,
    session::{FEW, Tx},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{State, StateName, Succeeded},
    storage::{
        Claim, ClaimToken, ClaimedJob, Finish, Recorded, StorageResult,
        sql::{
            Expected, Param, Session as _, Write as _, apply, claim, params, pooled::Work, read, release_succeeded,
            set_parameters, success_expires_at,
        },
    },
};

/// Records how runs ended: successes set-wise, everything else job by job.
pub(super) struct FinishBatch(pub(super) Vec<Finish>);

impl Work<MySql> for FinishBatch {
    type Answer = Vec<Recorded>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<Recorded>> {
        let successes: Vec<(&Finish, &Succeeded)> = self.0.iter().filter_map(success).collect();
        let mut recorded = HashSet::new();
        for piece in successes.chunks(256) {
            recorded.extend(succeed(tx, piece).await?);
        }
        let mut answers = Vec::with_capacity(self.0.len());
        for finish in &self.0 {
            let stored = match &finish.transition.to {
                State::Succeeded(_) => recorded.contains(&(finish.job, finish.token)),
                _ => apply(tx, finish.job, Expected::Claim(finish.token), &finish.transition).await?.is_ok(),
            };
            answers.push(if stored { Recorded::Stored } else { Recorded::Fenced });
        }
        Ok(answers)
    }
}

/// Both with one commit.
pub(super) struct FinishAndClaim(pub(super) FinishBatch, pub(super) Claim);

impl Work<MySql> for FinishAndClaim {
    type Answer = (Vec<Recorded>, Vec<ClaimedJob>);

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Self::Answer> {
        Ok((self.0.run(tx).await?, self.1.run(tx).await?))
    }
}

fn success(finish: &Finish) -> Option<(&Finish, &Succeeded)> {
    match &finish.transition.to {
        State::Succeeded(succeeded) => Some((finish, succeeded)),
        _ => None,
    }
}

/// A row of `processing`.
struct Held {
    token: ClaimToken,
    server: String,
    at: Timestamp,
    awaited: bool,
}

/// Records successes; returns those that are stored now or were before.
async fn succeed(tx: &mut Tx<'_>, successes: &[(&Finish, &Succeeded)]) -> StorageResult<HashSet<(JobId, ClaimToken)>> {
    let ids: Vec<JobId> = successes.iter().map(|(finish, _)| finish.job).collect();
    let mut held = held(tx, ids.clone()).await?;
    let current =
        |(finish, _): &&(&Finish, &Succeeded)| held.get(&finish.job).is_some_and(|held| held.token == finish.token);
    let current: Vec<&(&Finish, &Succeeded)> = successes.iter().filter(current).collect();
    let mut moved = Vec::with_capacity(current.len());
    for (finish, succeeded) in current {
        // The same outcome may stand in the batch twice.
        moved.extend(held.remove(&finish.job).map(|held| (*finish, *succeeded, held)));
    }
    relocate(tx, &moved).await?;
    for (finish, parameters) in
        moved.iter().filter_map(|(finish, ..)| Some((finish, finish.transition.parameters.as_ref()?)))
    {
        set_parameters(tx, finish.job, parameters).await?;
    }
    let mut recorded: HashSet<_> = moved.iter().map(|(finish, ..)| (finish.job, finish.token)).collect();
    if successes.iter().any(|(finish, _)| !recorded.contains(&(finish.job, finish.token))) {
        let rows = tx.fetch("SELECT job, token FROM {p}succeeded WHERE job {in_ids}", params![ids]).await?;
        recorded.extend(read(tx, &rows, claim)?);
    }
    Ok(recorded)
}

/// Locks the runs that are under way.
async fn held(tx: &mut Tx<'_>, ids: Vec<JobId>) -> StorageResult<HashMap<JobId, Held>> {
    const SELECT: &str = "
        SELECT job, token, server, at, awaited FROM {p}processing FORCE INDEX (PRIMARY)
        WHERE job {in_ids}
        ORDER BY job
        FOR UPDATE";
    let rows = tx.fetch(SELECT, params![ids]).await?;
    let held = read(tx, &rows, |row| {
        let (token, awaited) = (ClaimToken(row.int("token")?), row.int("awaited")? != 0);
        Ok((row.id("job")?, Held { token, server: row.text("server")?, at: row.time("at")?, awaited }))
    })?;
    Ok(held.into_iter().collect())
}

/// Removes rows from `processing` that are locked already.
async fn leave(tx: &mut Tx<'_>, ids: Vec<JobId>) -> StorageResult<()> {
    const DELETE_FEW: &str = "
        DELETE p FROM ({keys}) few
        STRAIGHT_JOIN {p}processing p FORCE INDEX (PRIMARY) ON p.job = few.k";
    if (2..=FEW).contains(&ids.len()) {
        let keys = ids.iter().map(|id| Param::from(*id)).collect();
        tx.execute_rows(DELETE_FEW, "CAST(? AS BINARY(16))", ids.len(), keys).await?;
    } else {
        tx.execute("DELETE FROM {p}processing WHERE job {in_ids}", params![ids]).await?;
    }
    Ok(())
}

/// Moves runs from `processing` to `succeeded`; both are locked already.
async fn relocate(tx: &mut Tx<'_>, moved: &[(&Finish, &Succeeded, Held)]) -> StorageResult<()> {
    const INSERT: &str = "
        INSERT INTO {p}succeeded (job, token, server, claimed_at, at, duration, result, expires_at)
        VALUES {values}";
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<JobId> = moved.iter().map(|(finish, ..)| finish.job).collect();
    leave(tx, ids).await?;
    let retention = tx.retention();
    let row = |(finish, succeeded, held): &(&Finish, &Succeeded, Held)| {
        let at = finish.transition.at;
        let duration = i64::try_from(succeeded.duration.as_micros()).unwrap_or(i64::MAX);
        let expires_at = success_expires_at(retention, &finish.transition);
        let result = succeeded.result.get();
        params![finish.job, held.token.0, held.server.as_str(), held.at, at, duration, result, expires_at]
    };
    let mut rest = moved;
    while !rest.is_empty() {
        let (piece, others) =
            rest.split_at(tx.fitting(rest.iter().map(|(_, succeeded, _)| succeeded.result.get().len())));
        tx.execute_rows(INSERT, "(?, ?, ?, ?, ?, ?, ?, ?)", piece.len(), piece.iter().flat_map(row).collect()).await?;
        rest = others;
    }
    tx.effects().entered(StateName::Succeeded);
    tx.count(StateName::Succeeded, moved.len() as u64).await?;
    let awaited: Vec<JobId> = moved.iter().filter(|(_, _, held)| held.awaited).map(|(finish, ..)| finish.job).collect();
    if awaited.is_empty() { Ok(()) } else { release_succeeded(tx, awaited).await }
}
