use std::collections::{HashMap, HashSet};

use super::{
    Postgres,
    session::{Tx, uuid},
};
use crate::{
    job::JobId,
    state::{State, StateName, Succeeded},
    storage::{
        ClaimToken, Finish, Period, Recorded, StorageResult,
        sql::{
            Expected, Session as _, Write as _, apply, claim, params, pooled::Work, read, release_succeeded, stored,
        },
    },
};

/// Records how runs ended: successes set-wise, everything else job by job.
pub(super) struct FinishBatch(pub(super) Vec<Finish>);

impl Work<Postgres> for FinishBatch {
    type Answer = Vec<Recorded>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<Recorded>> {
        let recorded = succeed(tx, &self.0).await?;
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

/// The successes of a batch, of each delivery the first.
fn successes(batch: &[Finish]) -> Vec<(&Finish, &Succeeded)> {
    let mut seen = HashSet::new();
    let success = |finish: &'_ Finish| match &finish.transition.to {
        State::Succeeded(_) => seen.insert((finish.job, finish.token)),
        _ => false,
    };
    let firsts: Vec<bool> = batch.iter().map(success).collect();
    let firsts = batch.iter().zip(firsts).filter(|(_, first)| *first);
    firsts
        .filter_map(|(finish, _)| match &finish.transition.to {
            State::Succeeded(succeeded) => Some((finish, succeeded)),
            _ => None,
        })
        .collect()
}

/// Records successes; returns those that are stored now or were before.
async fn succeed(tx: &mut Tx<'_>, batch: &[Finish]) -> StorageResult<HashSet<(JobId, ClaimToken)>> {
    let successes = successes(batch);
    if successes.is_empty() {
        return Ok(HashSet::new());
    }
    let mut recorded = record(tx, &successes).await?;
    let left: HashMap<JobId, (&Finish, &Succeeded)> = successes
        .iter()
        .filter(|(finish, _)| !recorded.contains(&(finish.job, finish.token)))
        .map(|success| (success.0.job, *success))
        .collect();
    if left.is_empty() {
        return Ok(recorded);
    }
    for (finish, succeeded) in left.values() {
        if record_awaited(tx, finish, succeeded).await? {
            recorded.insert((finish.job, finish.token));
        }
    }
    let ids: Vec<JobId> = left.keys().copied().collect();
    let rows = tx.fetch("SELECT job, token FROM {p}succeeded WHERE job {in_ids}", params![ids]).await?;
    recorded.extend(read(tx, &rows, claim)?);
    Ok(recorded)
}

/// Records those that nobody awaits.
async fn record(tx: &mut Tx<'_>, successes: &[(&Finish, &Succeeded)]) -> StorageResult<HashSet<(JobId, ClaimToken)>> {
    let retention = tx.retention();
    let expires = |finish: &Finish| retention.expires_at(StateName::Succeeded, finish.transition.at);
    let rows = tx
        .query(RECORD)
        .bind(successes.iter().map(|(finish, _)| uuid(finish.job)).collect::<Vec<_>>())
        .bind(successes.iter().map(|(finish, _)| finish.token.0).collect::<Vec<i64>>())
        .bind(successes.iter().map(|(finish, _)| finish.transition.at.timestamp_micros()).collect::<Vec<i64>>())
        .bind(successes.iter().map(|(_, succeeded)| micros(succeeded)).collect::<Vec<i64>>())
        .bind(successes.iter().map(|(_, succeeded)| succeeded.result.get().to_owned()).collect::<Vec<String>>())
        .bind(
            successes
                .iter()
                .map(|(finish, _)| expires(finish).map(|at| at.timestamp_micros()))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(Period::Hour.start(tx.now))
        .bind(tx.shard)
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(|error| tx.shared.failed(error))?;
    if !rows.is_empty() {
        tx.effects().entered(StateName::Succeeded);
    }
    Ok(read(tx, &rows, claim)?.into_iter().collect())
}

fn micros(succeeded: &Succeeded) -> i64 {
    i64::try_from(succeeded.duration.as_micros()).unwrap_or(i64::MAX)
}

const RECORD: &str = "
    WITH ended AS MATERIALIZED (
        SELECT * FROM unnest(?::uuid[], ?::int8[], ?::int8[], ?::int8[], ?::text[], ?::int8[])
            AS e (job, token, at, duration, result, expires_at)
    ),
    gone AS (
        DELETE FROM {p}processing p USING ended
        WHERE p.job = ended.job AND p.token = ended.token AND NOT p.awaited
        RETURNING p.job, p.token, p.server, p.at AS claimed_at,
                  ended.at, ended.duration, ended.result, ended.expires_at
    ),
    kept AS (
        INSERT INTO {p}succeeded (job, token, server, claimed_at, at, duration, result, expires_at)
        SELECT job, token, server, claimed_at, at, duration, result, expires_at FROM gone
    ),
    counted AS (
        INSERT INTO {p}statistics AS s (hour, shard, succeeded, failed, deleted)
        SELECT ?, ?, count(*), 0, 0 FROM gone HAVING count(*) > 0
        ON CONFLICT (hour, shard) DO UPDATE SET succeeded = s.succeeded + excluded.succeeded
    )
    SELECT job, token FROM gone";

/// Records the success of a job that others await, and lets them follow.
async fn record_awaited(tx: &mut Tx<'_>, finish: &Finish, succeeded: &Succeeded) -> StorageResult<bool> {
    const MOVE: &str = "
        WITH gone AS (
            DELETE FROM {p}processing WHERE job = ? AND token = ? RETURNING job, token, server, at
        )
        INSERT INTO {p}succeeded (job, token, server, claimed_at, at, duration, result, expires_at)
        SELECT job, token, server, at, ?::int8, ?::int8, ?::text, ?::int8 FROM gone";
    let held = stored(tx, finish.job).await?.is_some_and(|stored| stored.held_by(finish.token));
    if !held {
        return Ok(false);
    }
    let at = finish.transition.at;
    let expires_at = tx.retention().expires_at(StateName::Succeeded, at);
    let result = succeeded.result.get();
    let params = params![finish.job, finish.token.0, at, micros(succeeded), result, expires_at];
    if tx.execute(MOVE, params).await? == 0 {
        return Ok(false);
    }
    tx.effects().entered(StateName::Succeeded);
    tx.count(StateName::Succeeded, 1).await?;
    release_succeeded(tx, vec![finish.job]).await?;
    Ok(true)
}
