use super::state;
use crate::{
    clock::LATEST,
    job::{JobId, QueueName},
    state::{HistoryEntry, Processing, StateName},
    storage::{
        Initial, JobDetails, JobSummary, StorageResult,
        sql::{
            rows::Reader,
            session::{Columns, Query, Session, params, read},
            stored::Success,
        },
    },
};

/// One job with its history.
pub(crate) struct FindJob(pub(crate) JobId);

impl Query for FindJob {
    type Answer = Option<JobDetails>;
    const SEVERAL: bool = true;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Option<JobDetails>> {
        const SELECT: &str = "
            SELECT j.*, COALESCE(s.server, p.server) AS server, COALESCE(s.claimed_at, p.at) AS claimed_at,
                   s.at AS ended_at, COALESCE(s.expires_at, j.expires_at) AS expired_at,
                   s.duration, s.result
            FROM {p}job j
            LEFT JOIN {p}processing p ON p.job = j.id
            LEFT JOIN {p}succeeded s ON s.job = j.id
            WHERE j.id = ?";
        let rows = session.fetch(SELECT, params![self.0]).await?;
        let Some(mut details) = read(session, &rows, details)?.pop() else { return Ok(None) };
        let written = session.fetch("SELECT * FROM {p}history WHERE job = ? ORDER BY seq", params![self.0]).await?;
        // After its beginning, and before its present run.
        details.history.splice(1..1, read(session, &written, entry)?);
        Ok(Some(details))
    }
}

/// All but the history that is written out.
fn details<R: Columns>(row: &Reader<'_, R>) -> StorageResult<JobDetails> {
    let mut history = vec![beginning(row)?];
    history.extend(implied_history(row)?);
    Ok(JobDetails {
        job: summary(row)?,
        max_attempts: row.optional_number("max_attempts")?,
        lost: row.number("lost")?,
        expires_at: row.optional_time("expired_at")?.filter(|at| *at < LATEST),
        result: row.optional_text("result")?,
        parameters: row.parameters()?,
        history,
    })
}

/// The columns of [`summary`] are those of `job`, `claimed_at` of its run and `ended_at` of its success.
pub(super) fn summary<R: Columns>(row: &Reader<'_, R>) -> StorageResult<JobSummary> {
    let (state, state_at) = state(row)?;
    let running = matches!(state, StateName::Processing | StateName::Succeeded);
    let priority = row.int("priority")?;
    Ok(JobSummary {
        id: row.id("id")?,
        name: row.job_name()?,
        arguments: row.text("arguments")?,
        queue: QueueName::stored(row.text("queue")?),
        priority: i16::try_from(priority).map_err(|_| row.damaged("priority", "is out of range"))?,
        state,
        state_at,
        created_at: row.time("created_at")?,
        attempts: row.number("spent")? + u32::from(running),
        recurrence: row.recurrence()?,
    })
}

/// The state in which the job was created.
fn beginning<R: Columns>(row: &Reader<'_, R>) -> StorageResult<HistoryEntry> {
    let initial = match (row.optional_time("due_at")?, row.optional_id("parent")?) {
        (Some(at), _) => Initial::Scheduled(at),
        (None, Some(parent)) => Initial::Awaiting(parent),
        (None, None) => Initial::Enqueued,
    };
    Ok(HistoryEntry::new(&initial.state(), row.time("created_at")?, None))
}

/// The run that a row of `processing` or `succeeded` tells of.
fn implied_history<R: Columns>(row: &Reader<'_, R>) -> StorageResult<Vec<HistoryEntry>> {
    let Some(claimed_at) = row.optional_time("claimed_at")? else { return Ok(Vec::new()) };
    let processing = Processing { server: row.text("server")?, attempt: row.number("spent")? + 1 };
    let mut history = vec![HistoryEntry::new(&processing.into(), claimed_at, None)];
    history.extend(Success::read(row)?.map(|success| success.entry()));
    Ok(history)
}

fn entry<R: Columns>(row: &Reader<'_, R>) -> StorageResult<HistoryEntry> {
    Ok(HistoryEntry {
        state: row.state("state")?,
        at: row.time("at")?,
        reason: row.optional_text("reason")?,
        data: row.json("data")?,
    })
}
