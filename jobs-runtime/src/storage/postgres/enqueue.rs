use std::collections::BTreeSet;

use sqlx::Row as _;

use super::{
    Work,
    session::{Tx, uuid},
};
use crate::{
    job::JobId,
    state::{StateName, release},
    storage::{
        Initial, NewJob, StorageError, StorageResult,
        sql::{self, Session as _, Stored, Write as _, params, stored},
    },
};

/// Stores new jobs.
pub(super) struct Enqueue(pub(super) Vec<NewJob>);

impl Work for Enqueue {
    type Answer = ();

    fn is_single(&self) -> bool {
        !self.0.iter().any(|job| matches!(job.initial, Initial::Awaiting(_)))
    }

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        store(tx, &self.0.iter().collect::<Vec<_>>()).await?;
        for parent in self.parents() {
            attach(tx, parent).await?;
        }
        Ok(())
    }
}

impl Enqueue {
    /// The awaited jobs, those of the batch itself included; in one order, whoever locks them.
    fn parents(&self) -> BTreeSet<JobId> {
        let parent = |job: &NewJob| match job.initial {
            Initial::Awaiting(parent) => Some(parent),
            _ => None,
        };
        self.0.iter().filter_map(parent).collect()
    }
}

/// Lets those that await `parent` follow it at once if it is done with, or notes that there are such.
///
/// The usual way, from the queue to success, looks neither at the body nor for those who await: what it finds in `ready`
/// and `processing` tells it. So the note is written there too. A claim or an outcome that is on its way has the row
/// locked, and the next look finds where the job went.
async fn attach(tx: &mut Tx<'_>, parent: JobId) -> StorageResult<()> {
    loop {
        let Some(stored) = stored(tx, parent).await? else {
            return Err(StorageError::UnknownParent { storage: tx.storage(), parent });
        };
        if let Some((to, reason)) = release(stored.state) {
            return sql::release(tx, parent, to, reason).await;
        }
        tx.execute("UPDATE {p}job SET awaited = true WHERE id = ?", params![parent]).await?;
        if note(tx, &stored).await? {
            return Ok(());
        }
    }
}

/// Returns whether the job still was where it was found.
async fn note(tx: &mut Tx<'_>, stored: &Stored) -> StorageResult<bool> {
    let noted = match stored.state {
        StateName::Enqueued => {
            const UPDATE: &str = "UPDATE {p}ready SET awaited = true WHERE queue = ? AND rank = ? AND seq = ?";
            tx.execute(UPDATE, params![stored.queue.as_str(), -stored.priority, stored.place]).await?
        }
        StateName::Processing => {
            const UPDATE: &str = "UPDATE {p}processing SET awaited = true WHERE job = ? AND token = ?";
            tx.execute(UPDATE, params![stored.id, stored.token().map(|token| token.0)]).await?
        }
        // It can't move while its body is locked.
        _ => 1,
    };
    Ok(noted == 1)
}

/// Stores jobs, each where its state belongs, but for those that are there already: one statement for any number.
pub(super) async fn store(tx: &mut Tx<'_>, jobs: &[&NewJob]) -> StorageResult<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let stored = insert(tx.query(INSERT), jobs).fetch_all(&mut *tx.connection).await;
    let stored = stored.map_err(|error| tx.shared.failed(error))?;
    for row in stored {
        let state: &str = row.try_get(0).map_err(|error| tx.shared.failed(error))?;
        if let Ok(state) = state.parse() {
            tx.effects().entered(state);
        }
    }
    Ok(())
}

const INSERT: &str = "
    WITH new AS (
        INSERT INTO {p}job (id, type, method, arguments, queue, priority, max_attempts, created_at, parent, due_at,
                            state, state_at, place, spent, lost, schedule, slot)
        SELECT n.id, n.type, n.method, n.arguments, n.queue, n.priority, n.max_attempts, n.created_at, n.parent,
               n.due_at, n.state, n.created_at, COALESCE(n.due_at, nextval('{p}place')), 0, 0, n.schedule, n.slot
        FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int8[], ?::int8[],
                    ?::uuid[], ?::int8[], ?::text[], ?::text[], ?::int8[])
             AS n (id, type, method, arguments, queue, priority, max_attempts, created_at,
                   parent, due_at, state, schedule, slot)
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
    )
    SELECT DISTINCT state FROM new";

type Query = sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>;

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
}
