use std::collections::HashSet;

use super::tx::{Task, Tx, micros, packed};
use crate::{
    job::JobId,
    state::{StateName, release},
    storage::{
        Initial, NewJob, StorageError, StorageResult,
        sql::{self, pieces, stored},
    },
};

/// Stores new jobs.
pub(super) struct Enqueue(pub(super) Vec<NewJob>);

impl Task for Enqueue {
    type Answer = ();

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        store(tx, &self.0.iter().collect::<Vec<_>>()).await?;
        for parent in self.parents() {
            // One of the batch may have been stored before, and be done with.
            let Some(stored) = stored(tx, parent).await? else {
                return Err(StorageError::UnknownParent { storage: tx.shared.url(), parent });
            };
            if let Some((to, reason)) = release(stored.state) {
                sql::release(tx, parent, to, reason).await?;
            }
        }
        Ok(())
    }

    fn mergeable(&self) -> Option<(&[NewJob], ())> {
        let awaits = |job: &NewJob| matches!(job.initial, Initial::Awaiting(_));
        (!self.0.iter().any(awaits)).then_some((&self.0, ()))
    }
}

impl Enqueue {
    /// The awaited jobs, those of the batch itself included.
    fn parents(&self) -> HashSet<JobId> {
        let parent = |job: &NewJob| match job.initial {
            Initial::Awaiting(parent) => Some(parent),
            _ => None,
        };
        self.0.iter().filter_map(parent).collect()
    }
}

/// Stores jobs, each where its state belongs, but for those that are there already.
pub(super) async fn store(tx: &mut Tx<'_>, jobs: &[&NewJob]) -> StorageResult<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let first = tx.numbers(jobs.len()).await?;
    let (mut place, mut rest) = (first, jobs);
    for size in pieces(jobs.len()) {
        let (piece, others) = rest.split_at(size);
        insert_jobs(tx, piece, place).await?;
        (rest, place) = (others, place + size as i64);
    }
    enter_states(tx, jobs, first).await
}

/// Puts the jobs that were really inserted, which have numbers from `first` on, where their states belong.
async fn enter_states(tx: &mut Tx<'_>, jobs: &[&NewJob], first: i64) -> StorageResult<()> {
    for (state, statement) in [
        (StateName::Enqueued, ENTER_READY),
        (StateName::Scheduled, ENTER_SCHEDULED),
        (StateName::Awaiting, ENTER_AWAITING),
    ] {
        let ids = packed(jobs.iter().filter(|job| job.initial.name() == state).map(|job| &job.id));
        if !ids.is_empty() {
            tx.execute_ids(statement, ids, first).await?;
            tx.effects.entered(state);
        }
    }
    Ok(())
}

const INSERT_JOBS: &str = "
    INSERT INTO {p}job (id, type, method, arguments, queue, priority, max_attempts, created_at, parent, due_at,
                        state, state_at, place, parameters, spent, lost)
    VALUES {values}
    ON CONFLICT DO NOTHING";
const JOB_ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)";

/// The same for jobs of which some were made by schedules; the second one for a slot is left out.
const INSERT_RECURRING: &str = "
    INSERT INTO {p}job (id, type, method, arguments, queue, priority, max_attempts, created_at, parent, due_at,
                        state, state_at, place, parameters, spent, lost, schedule, slot)
    VALUES {values}
    ON CONFLICT DO NOTHING";
const RECURRING_ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)";

/// A job that was there before has a place below `?2` if it is still Enqueued, and another state if it is not. One
/// that stands in the batch twice has one place.
const ENTER_READY: &str = "
    WITH RECURSIVE {ids}
    INSERT OR IGNORE INTO {p}ready (queue, rank, seq, job)
    SELECT j.queue, -j.priority, j.place, j.id
    FROM ids CROSS JOIN {p}job j ON j.id = ids.job
    WHERE j.state = 'enqueued' AND j.place >= ?2";
const ENTER_SCHEDULED: &str = "
    WITH RECURSIVE {ids}
    INSERT OR IGNORE INTO {p}scheduled (at, job)
    SELECT j.place, j.id
    FROM ids CROSS JOIN {p}job j ON j.id = ids.job
    WHERE j.state = 'scheduled'";
const ENTER_AWAITING: &str = "
    WITH RECURSIVE {ids}
    INSERT OR IGNORE INTO {p}awaiting (job, parent)
    SELECT j.id, j.parent
    FROM ids CROSS JOIN {p}job j ON j.id = ids.job
    WHERE j.state = 'awaiting'";

async fn insert_jobs(tx: &mut Tx<'_>, jobs: &[&NewJob], first_place: i64) -> StorageResult<()> {
    let recurring = jobs.iter().any(|job| job.recurrence.is_some());
    let (template, row) = if recurring { (INSERT_RECURRING, RECURRING_ROW) } else { (INSERT_JOBS, JOB_ROW) };
    let mut insert = sqlx::query(tx.rows_sql(template, row, jobs.len()));
    for (place, job) in (first_place..).zip(jobs) {
        let (due, parent) = match job.initial {
            Initial::Enqueued => (None, None),
            Initial::Scheduled(at) => (Some(micros(at)), None),
            Initial::Awaiting(parent) => (None, Some(parent.as_bytes().to_vec())),
        };
        insert = insert
            .bind(job.id.as_bytes().to_vec())
            .bind(job.invocation.name().type_name().to_owned())
            .bind(job.invocation.name().method().to_owned())
            .bind(job.invocation.arguments().to_owned())
            .bind(job.queue.as_str().to_owned())
            .bind(i64::from(job.priority))
            .bind(job.max_attempts.map(i64::from))
            .bind(micros(job.created_at))
            .bind(parent)
            .bind(due)
            .bind(job.initial.name().as_str())
            .bind(micros(job.created_at))
            .bind(due.unwrap_or(place))
            .bind(job.parameters.to_stored());
        if recurring {
            let (schedule, slot) = job.recurrence.as_ref().map(|made| (made.schedule.to_string(), made.slot)).unzip();
            insert = insert.bind(schedule).bind(slot.flatten().map(micros));
        }
    }
    insert.execute(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
    Ok(())
}
