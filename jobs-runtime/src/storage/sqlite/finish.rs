use std::collections::HashMap;

use super::tx::{Task, Tx, micros, packed};
use crate::{
    job::JobId,
    state::{State, StateName, Succeeded, Transition},
    storage::{
        ClaimToken, Finish, Recorded, StorageResult,
        sql::{
            Expected, Write as _, apply, claim, pieces, read, release_succeeded, set_parameters, success_expires_at,
        },
    },
};

/// Records how runs ended: successes set-wise, everything else job by job.
pub(super) struct FinishBatch(pub(super) Vec<Finish>);

impl Task for FinishBatch {
    type Answer = Vec<Recorded>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<Recorded>> {
        let successes: Vec<Success<'_>> = self.0.iter().filter_map(Success::of).collect();
        let mut refused: HashMap<JobId, Vec<ClaimToken>> = HashMap::new();
        let mut rest = successes.as_slice();
        for size in pieces(successes.len()) {
            let (piece, others) = rest.split_at(size);
            for fenced in succeed(tx, piece).await? {
                refused.entry(fenced.finish.job).or_default().push(fenced.finish.token);
            }
            rest = others;
        }
        let is_refused = |finish: &Finish| refused.get(&finish.job).is_some_and(|held| held.contains(&finish.token));
        let mut recorded = Vec::with_capacity(self.0.len());
        for finish in &self.0 {
            let stored = match &finish.transition {
                Transition { to: State::Succeeded(_), parameters, .. } => {
                    let stored = !is_refused(finish);
                    if let Some(parameters) = parameters.as_ref().filter(|_| stored) {
                        set_parameters(tx, finish.job, parameters).await?;
                    }
                    stored
                }
                _ => apply(tx, finish.job, Expected::Claim(finish.token), &finish.transition).await?.is_ok(),
            };
            recorded.push(if stored { Recorded::Stored } else { Recorded::Fenced });
        }
        Ok(recorded)
    }
}

#[derive(Clone, Copy)]
struct Success<'a> {
    finish: &'a Finish,
    succeeded: &'a Succeeded,
}

impl<'a> Success<'a> {
    fn of(finish: &'a Finish) -> Option<Self> {
        match &finish.transition.to {
            State::Succeeded(succeeded) => Some(Self { finish, succeeded }),
            _ => None,
        }
    }
}

/// Moves jobs from `processing` to `succeeded`, and returns those that were not held by the given delivery.
async fn succeed<'a>(tx: &mut Tx<'_>, batch: &[Success<'a>]) -> StorageResult<Vec<Success<'a>>> {
    let inserted = insert_succeeded(tx, batch).await?;
    let ids: Vec<JobId> = batch.iter().map(|success| success.finish.job).collect();
    tx.execute_ids(LEAVE_PROCESSING, packed(&ids), 0).await?;
    if inserted > 0 {
        tx.effects.entered(StateName::Succeeded);
        tx.count(StateName::Succeeded, inserted).await?;
    }
    if inserted == batch.len() as u64 {
        release_succeeded(tx, ids).await?;
        return Ok(Vec::new());
    }
    let stored = stored_tokens(tx, &ids).await?;
    let (held, fenced): (Vec<Success<'a>>, _) =
        batch.iter().partition(|success| stored.get(&success.finish.job) == Some(&success.finish.token));
    release_succeeded(tx, held.iter().map(|success| success.finish.job).collect()).await?;
    Ok(fenced)
}

const INSERT_SUCCEEDED: &str = "
    INSERT INTO {p}succeeded (job, token, server, claimed_at, at, duration, result, expires_at)
    SELECT p.job, p.token, p.server, p.at, v.column3, v.column4, v.column5, v.column6
    FROM (VALUES {values}) v
    CROSS JOIN {p}processing p ON p.job = v.column1 AND p.token = v.column2
    WHERE true
    ON CONFLICT (job) DO NOTHING";
const LEAVE_PROCESSING: &str = "
    WITH RECURSIVE {ids}
    DELETE FROM {p}processing
    WHERE job IN (SELECT job FROM ids)
      AND EXISTS (SELECT 1 FROM {p}succeeded s
                  WHERE s.job = {p}processing.job AND s.token = {p}processing.token)";

async fn insert_succeeded(tx: &mut Tx<'_>, batch: &[Success<'_>]) -> StorageResult<u64> {
    let mut insert = sqlx::query(tx.rows_sql(INSERT_SUCCEEDED, "(?, ?, ?, ?, ?, ?)", batch.len()));
    for Success { finish, succeeded } in batch {
        let at = finish.transition.at;
        let expires_at = success_expires_at(tx.shared.options.common.retention, &finish.transition);
        insert = insert
            .bind(finish.job.as_bytes().to_vec())
            .bind(finish.token.0)
            .bind(micros(at))
            .bind(i64::try_from(succeeded.duration.as_micros()).unwrap_or(i64::MAX))
            .bind(succeeded.result.get().to_owned())
            .bind(micros(expires_at));
    }
    let done = insert.execute(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
    Ok(done.rows_affected())
}

async fn stored_tokens(tx: &mut Tx<'_>, ids: &[JobId]) -> StorageResult<HashMap<JobId, ClaimToken>> {
    let select = tx.sql(
        "WITH RECURSIVE {ids}
         SELECT s.job, s.token FROM ids CROSS JOIN {p}succeeded s ON s.job = ids.job",
    );
    let rows =
        sqlx::query(select).bind(packed(ids)).fetch_all(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
    Ok(read(tx, &rows, claim)?.into_iter().collect())
}
