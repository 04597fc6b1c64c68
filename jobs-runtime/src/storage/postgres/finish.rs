use std::collections::HashSet;

use super::{
    Postgres,
    session::{Query, Tx, uuid},
};
use crate::{
    job::JobId,
    state::{State, StateName, Succeeded},
    storage::{
        ClaimToken, Finish, Period, Recorded, StorageResult,
        sql::{
            Expected, Session as _, Write as _, apply, claim, params,
            pooled::{Shared, Work},
            read, release_succeeded, set_parameters, stored, success_expires_at,
        },
    },
};

/// Records how runs ended: successes with one statement; everything else, and what that did not find, in a transaction.
pub(super) async fn finish(shared: &Shared<Postgres>, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
    let mut batch = Batch::new(batch);
    let successes = batch.take_successes();
    if !successes.0.is_empty() {
        let recorded = shared.run(&successes).await?;
        batch.recorded(recorded, successes);
    }
    batch.finish(shared).await
}

/// Outcomes, each with its place among those that are to be answered.
pub(super) struct Batch {
    answers: Vec<Recorded>,
    successes: Vec<(usize, Finish)>,
    others: Vec<(usize, Finish)>,
}

impl Batch {
    pub(super) fn new(batch: Vec<Finish>) -> Self {
        let answers = vec![Recorded::Stored; batch.len()];
        let (successes, others) = batch.into_iter().enumerate().partition(|(_, finish)| is_plain(finish));
        Self { answers, successes, others }
    }

    pub(super) fn take_successes(&mut self) -> Successes {
        Successes(std::mem::take(&mut self.successes))
    }

    /// So many of the successes are recorded. If it isn't all, one by one will tell which.
    pub(super) fn recorded(&mut self, count: usize, successes: Successes) {
        if count < successes.0.len() {
            self.others.extend(successes.0);
        }
    }

    /// Records the others, and answers all.
    pub(super) async fn finish(self, shared: &Shared<Postgres>) -> StorageResult<Vec<Recorded>> {
        let Self { mut answers, others, .. } = self;
        if !others.is_empty() {
            let (places, others): (Vec<usize>, Vec<Finish>) = others.into_iter().unzip();
            for (place, recorded) in places.into_iter().zip(shared.run(&FinishEach(others)).await?) {
                answers[place] = recorded;
            }
        }
        Ok(answers)
    }
}

/// Records successes that nobody awaits; the answer is how many there were.
pub(super) struct Successes(pub(super) Vec<(usize, Finish)>);

impl Work<Postgres> for Successes {
    type Answer = usize;

    fn is_single(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<usize> {
        let record = self.bind(tx.query(RECORD), tx);
        let recorded =
            record.fetch_one(&mut *tx.connection).await.and_then(|row| sqlx::Row::try_get::<i64, _>(&row, 0));
        let recorded = usize::try_from(recorded.map_err(|error| tx.shared.failed(error))?).unwrap_or_default();
        if recorded > 0 {
            tx.effects().entered(StateName::Succeeded);
        }
        Ok(recorded)
    }
}

impl Successes {
    /// The parameters of [`record!`].
    pub(super) fn bind(&self, query: Query, tx: &Tx<'_>) -> Query {
        let successes: Vec<(&Finish, &Succeeded)> = self.0.iter().filter_map(|(_, finish)| success(finish)).collect();
        let all_of =
            |number: &dyn Fn(&Finish) -> i64| successes.iter().map(|(finish, _)| number(finish)).collect::<Vec<i64>>();
        let all = |number: fn(&(&Finish, &Succeeded)) -> i64| successes.iter().map(number).collect::<Vec<i64>>();
        let retention = tx.retention();
        query
            .bind(successes.iter().map(|(finish, _)| uuid(finish.job)).collect::<Vec<_>>())
            .bind(all(|(finish, _)| finish.token.0))
            .bind(all(|(finish, _)| finish.transition.at.timestamp_micros()))
            .bind(all(|(_, succeeded)| micros(succeeded)))
            .bind(successes.iter().map(|(_, succeeded)| succeeded.result.get()).collect::<Vec<&str>>())
            .bind(all_of(&|finish| success_expires_at(retention, &finish.transition).timestamp_micros()))
            .bind(Period::Hour.start(tx.now))
            .bind(tx.shard)
    }
}

/// What records successes, as parts of a statement that may have others: `gone` are those that it found.
macro_rules! record {
    () => {
        "ended AS MATERIALIZED (
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
        )"
    };
}
pub(super) use record;

const RECORD: &str = concat!("WITH ", record!(), " SELECT count(*) FROM gone");

/// Records outcomes one by one, each of whatever kind.
pub(super) struct FinishEach(pub(super) Vec<Finish>);

impl Work<Postgres> for FinishEach {
    type Answer = Vec<Recorded>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<Recorded>> {
        tx.lock(self.0.iter().map(|finish| finish.job).collect()).await?;
        let mut recorded = already_recorded(tx, &self.0).await?;
        let mut answers = Vec::with_capacity(self.0.len());
        for finish in &self.0 {
            let delivery = (finish.job, finish.token);
            let stored = match success(finish) {
                Some(_) if recorded.contains(&delivery) => true,
                Some((_, succeeded)) => record_one(tx, finish, succeeded).await? && recorded.insert(delivery),
                None => apply(tx, finish.job, Expected::Claim(finish.token), &finish.transition).await?.is_ok(),
            };
            answers.push(if stored { Recorded::Stored } else { Recorded::Fenced });
        }
        Ok(answers)
    }
}

/// The deliveries among these whose successes were recorded before.
async fn already_recorded(tx: &mut Tx<'_>, batch: &[Finish]) -> StorageResult<HashSet<(JobId, ClaimToken)>> {
    let ids: Vec<JobId> = batch.iter().filter_map(success).map(|(finish, _)| finish.job).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = tx.fetch("SELECT job, token FROM {p}succeeded WHERE job {in_ids}", params![ids]).await?;
    Ok(read(tx, &rows, claim)?.into_iter().collect())
}

/// Records the success of a job that others may await, and lets them follow.
async fn record_one(tx: &mut Tx<'_>, finish: &Finish, succeeded: &Succeeded) -> StorageResult<bool> {
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
    let expires_at = success_expires_at(tx.retention(), &finish.transition);
    let result = succeeded.result.get();
    let params = params![finish.job, finish.token.0, finish.transition.at, micros(succeeded), result, expires_at];
    if tx.execute(MOVE, params).await? == 0 {
        return Ok(false);
    }
    tx.effects().entered(StateName::Succeeded);
    tx.count(StateName::Succeeded, 1).await?;
    if let Some(parameters) = &finish.transition.parameters {
        set_parameters(tx, finish.job, parameters).await?;
    }
    release_succeeded(tx, vec![finish.job]).await?;
    Ok(true)
}

/// A success that changes nothing else of the job.
fn is_plain(finish: &Finish) -> bool {
    success(finish).is_some() && finish.transition.parameters.is_none()
}

fn success(finish: &Finish) -> Option<(&Finish, &Succeeded)> {
    match &finish.transition.to {
        State::Succeeded(succeeded) => Some((finish, succeeded)),
        _ => None,
    }
}

fn micros(succeeded: &Succeeded) -> i64 {
    i64::try_from(succeeded.duration.as_micros()).unwrap_or(i64::MAX)
}
