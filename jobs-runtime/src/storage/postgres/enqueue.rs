use sqlx::Row as _;

use super::{
    Postgres, notify,
    session::{Query, Tx, uuid},
};
use crate::storage::{
    Initial, NewJob, StorageResult,
    sql::{Write as _, attach, pooled::Work},
};

/// Stores new jobs.
pub(super) struct Enqueue(pub(super) Vec<NewJob>);

impl Work<Postgres> for Enqueue {
    type Answer = ();

    fn is_single(&self) -> bool {
        !self.0.iter().any(|job| matches!(job.initial, Initial::Awaiting(_)))
    }

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        store(tx, &self.0.iter().collect::<Vec<_>>()).await?;
        attach(tx, &self.0).await
    }
}

/// Stores jobs, each where its state belongs, but for those that are there already: one statement for any number.
pub(super) async fn store(tx: &mut Tx<'_>, jobs: &[&NewJob]) -> StorageResult<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let stored = match notify::tell_in(tx, jobs) {
        None => insert(tx.query(INSERT), jobs),
        Some(told) => insert(tx.query(INSERT_AND_TELL), jobs).bind(told.channel).bind(told.text),
    };
    let stored = stored.fetch_all(&mut *tx.connection).await;
    let stored = stored.map_err(|error| tx.shared.failed(error))?;
    for row in stored {
        let state: &str = row.try_get(0).map_err(|error| tx.shared.failed(error))?;
        if let Ok(state) = state.parse() {
            tx.effects().entered(state);
        }
    }
    Ok(())
}

/// What stores jobs, as the beginning of a statement.
macro_rules! stored {
    () => {
        "
    WITH new AS (
        INSERT INTO {p}job (id, type, method, arguments, queue, priority, max_attempts, created_at, parent, due_at,
                            state, state_at, place, spent, lost, schedule, slot, parameters)
        SELECT n.id, n.type, n.method, n.arguments, n.queue, n.priority, n.max_attempts, n.created_at, n.parent,
               n.due_at, n.state, n.created_at, COALESCE(n.due_at, nextval('{p}place')), 0, 0, n.schedule, n.slot,
               n.parameters
        FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int8[], ?::int8[],
                    ?::uuid[], ?::int8[], ?::text[], ?::text[], ?::int8[], ?::text[])
             AS n (id, type, method, arguments, queue, priority, max_attempts, created_at,
                   parent, due_at, state, schedule, slot, parameters)
        ON CONFLICT DO NOTHING
        RETURNING id, queue, priority, state, place, parent
    ),
    ready AS (
        INSERT INTO {p}ready (queue, rank, seq, job, awaited)
        SELECT queue, -priority, place, id, false FROM new WHERE state = 'enqueued'
    ),
    scheduled AS (
        INSERT INTO {p}scheduled (at, job)
        SELECT place, id FROM new WHERE state = 'scheduled'
    ),
    awaiting AS (
        INSERT INTO {p}awaiting (job, parent)
        SELECT id, parent FROM new WHERE state = 'awaiting'
    )"
    };
}

const INSERT: &str = concat!(stored!(), " SELECT DISTINCT state FROM new");
const INSERT_AND_TELL: &str =
    concat!(stored!(), " SELECT state, pg_notify(?, ?) FROM (SELECT DISTINCT state FROM new) entered");

fn insert(query: Query, jobs: &[&NewJob]) -> Query {
    let texts = |text: fn(&NewJob) -> String| jobs.iter().map(|job| text(job)).collect::<Vec<String>>();
    let due = |job: &&NewJob| match job.initial {
        Initial::Scheduled(at) => Some(at.timestamp_micros()),
        _ => None,
    };
    let parent = |job: &&NewJob| match job.initial {
        Initial::Awaiting(parent) => Some(uuid(parent)),
        _ => None,
    };
    let slot = |job: &&NewJob| Some(job.recurrence.as_ref()?.slot?.timestamp_micros());
    query
        .bind(jobs.iter().map(|job| uuid(job.id)).collect::<Vec<_>>())
        .bind(texts(|job| job.invocation.name().type_name().to_owned()))
        .bind(texts(|job| job.invocation.name().method().to_owned()))
        .bind(texts(|job| job.invocation.arguments().to_owned()))
        .bind(texts(|job| job.queue.to_string()))
        .bind(jobs.iter().map(|job| i32::from(job.priority)).collect::<Vec<i32>>())
        .bind(jobs.iter().map(|job| job.max_attempts.map(i64::from)).collect::<Vec<Option<i64>>>())
        .bind(jobs.iter().map(|job| job.created_at.timestamp_micros()).collect::<Vec<i64>>())
        .bind(jobs.iter().map(parent).collect::<Vec<_>>())
        .bind(jobs.iter().map(due).collect::<Vec<Option<i64>>>())
        .bind(texts(|job| job.initial.name().as_str().to_owned()))
        .bind(jobs.iter().map(|job| job.recurrence.as_ref().map(|made| made.schedule.to_string())).collect::<Vec<_>>())
        .bind(jobs.iter().map(slot).collect::<Vec<Option<i64>>>())
        .bind(jobs.iter().map(|job| job.parameters.to_stored()).collect::<Vec<_>>())
}
