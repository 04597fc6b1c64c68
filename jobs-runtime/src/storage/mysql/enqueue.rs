use super::{
    MySql,
    session::{TICKET, Tx},
};
use crate::{
    job::JobId,
    state::StateName,
    storage::{
        Initial, NewJob, StorageResult,
        sql::{Param, Session as _, Write as _, attach, params, pooled::Work},
    },
};

/// Stores new jobs.
pub(super) struct Enqueue(pub(super) Vec<NewJob>);

impl Work<MySql> for Enqueue {
    type Answer = ();

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        store(tx, &self.0.iter().collect::<Vec<_>>()).await?;
        attach(tx, &self.0).await
    }
}

/// Stores jobs, each where its state belongs, but for those that are there already.
pub(super) async fn store(tx: &mut Tx<'_>, jobs: &[&NewJob]) -> StorageResult<()> {
    let mut rest = jobs;
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(fitting(tx, rest));
        store_piece(tx, piece).await?;
        rest = others;
    }
    Ok(())
}

/// How many of the jobs go into one statement; of few sizes, so that few statements need to be prepared.
fn fitting(tx: &Tx<'_>, jobs: &[&NewJob]) -> usize {
    let fitting = tx.fitting(
        jobs.iter()
            .map(|job| job.invocation.arguments().len() + job.parameters.to_stored().map_or(0, |text| text.len())),
    );
    [256, 64, 16, 4, 1].into_iter().find(|size| *size <= fitting).unwrap_or(1)
}

/// The jobs' places are those of one ticket, which nobody else has: by them, those that were there before are told from
/// those that are new.
async fn store_piece(tx: &mut Tx<'_>, jobs: &[&NewJob]) -> StorageResult<()> {
    let first = tx.ticket().await? * TICKET;
    let rows = (first..).zip(jobs).flat_map(|(place, job)| row(job, place)).collect();
    tx.execute_rows(INSERT, ROW, jobs.len(), rows).await?;
    for (state, statement) in [
        (StateName::Enqueued, ENTER_READY),
        (StateName::Scheduled, ENTER_SCHEDULED),
        (StateName::Awaiting, ENTER_AWAITING),
    ] {
        let ids: Vec<JobId> = jobs.iter().filter(|job| job.initial.name() == state).map(|job| job.id).collect();
        if !ids.is_empty() {
            tx.execute(statement, params![ids, first, first + TICKET]).await?;
            tx.effects().entered(state);
        }
    }
    Ok(())
}

const INSERT: &str = "
    INSERT INTO {p}job (id, type, method, arguments, queue, priority, max_attempts, created_at, parent, due_at,
                        state, state_at, place, spent, lost, schedule, slot, entered, parameters)
    VALUES {values}
    ON DUPLICATE KEY UPDATE id = {p}job.id";
const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)";
/// In a transaction that is REPEATABLE READ all rows that are looked at are locked, so it must be no others than these.
const ENTER_READY: &str = "
    INSERT INTO {p}ready (queue, {rank}, seq, job, awaited)
    SELECT queue, -priority, place, id, false FROM {p}job FORCE INDEX (PRIMARY)
    WHERE id {in_ids} AND entered >= ? AND entered < ? AND state = 'enqueued'";
const ENTER_SCHEDULED: &str = "
    INSERT INTO {p}scheduled (at, job)
    SELECT place, id FROM {p}job FORCE INDEX (PRIMARY)
    WHERE id {in_ids} AND entered >= ? AND entered < ? AND state = 'scheduled'";
const ENTER_AWAITING: &str = "
    INSERT INTO {p}awaiting (job, parent)
    SELECT id, parent FROM {p}job FORCE INDEX (PRIMARY)
    WHERE id {in_ids} AND entered >= ? AND entered < ? AND state = 'awaiting'";

fn row(job: &NewJob, place: i64) -> Vec<Param> {
    let (due, parent) = match job.initial {
        Initial::Enqueued => (None, None),
        Initial::Scheduled(at) => (Some(at.timestamp_micros()), None),
        Initial::Awaiting(parent) => (None, Some(parent)),
    };
    let (schedule, slot) = job.recurrence.as_ref().map(|made| (made.schedule.to_string(), made.slot)).unzip();
    let max_attempts = job.max_attempts.map(i64::from);
    params![
        job.id,
        job.invocation.name().type_name(),
        job.invocation.name().method(),
        job.invocation.arguments(),
        job.queue.as_str(),
        i64::from(job.priority),
        max_attempts,
        job.created_at,
        Param::Id(parent),
        due,
        job.initial.name().as_str(),
        job.created_at,
        due.unwrap_or(place),
        schedule,
        slot.flatten(),
        place,
        job.parameters.to_stored()
    ]
}
