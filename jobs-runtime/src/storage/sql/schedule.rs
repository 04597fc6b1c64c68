//! Schedules: found by readers, written only if they are still as they were found.

use super::{
    rows::Reader,
    session::{Columns, Query, Session, Verb, Write, params, read},
};
use crate::{
    clock::Timestamp,
    job::ScheduleId,
    storage::{DueCursor, DueSchedules, NewJob, ScheduleWrite, ScheduleWritten, StorageResult, StoredSchedule},
};

/// Changes schedules, and stores the jobs that they make.
pub(crate) struct WriteSchedules(pub(crate) Vec<ScheduleWrite>);

impl Verb for WriteSchedules {
    type Answer = Vec<ScheduleWritten>;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<Vec<ScheduleWritten>> {
        let mut answers = Vec::with_capacity(self.0.len());
        let mut jobs: Vec<&NewJob> = Vec::new();
        for write in &self.0 {
            let stored = apply(tx, write).await?;
            if stored {
                tx.effects().recurring = true;
                jobs.extend(&write.jobs);
            }
            answers.push(if stored { ScheduleWritten::Stored } else { ScheduleWritten::Conflict });
        }
        tx.store(&jobs).await?;
        Ok(answers)
    }
}

/// Changes one schedule, unless it isn't as it was found; returns whether it was.
async fn apply<S: Write>(tx: &mut S, write: &ScheduleWrite) -> StorageResult<bool> {
    const UPDATE: &str = "
        UPDATE {p}schedule
        SET version = ?, next_run = ?, definition = ?, progress = ?
        WHERE id = ? AND version = ?";
    let id = write.id.as_str();
    let changed = match (&write.content, write.found) {
        (Some(content), found) => {
            let version = tx.next_version().await?;
            let mut params = params![version, content.next_run, &*content.definition, &*content.progress, id];
            params.extend(found.map(Into::into));
            tx.execute(if found.is_some() { UPDATE } else { INSERT }, params).await?
        }
        (None, Some(found)) => {
            tx.execute("DELETE FROM {p}schedule WHERE id = ? AND version = ?", params![id, found]).await?
        }
        // It was not there, and is not to be.
        (None, None) => 0,
    };
    Ok(changed == 1)
}

const INSERT: &str = "
    {insert_new} INTO {p}schedule (version, next_run, definition, progress, id)
    VALUES (?, ?, ?, ?, ?)
    {if_new}";

/// The schedules that are due at `now`, from the beginning or after one of them.
pub(crate) struct FindDue {
    pub(crate) after: Option<DueCursor>,
    pub(crate) limit: usize,
    pub(crate) now: Timestamp,
}

impl Query for FindDue {
    type Answer = DueSchedules;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<DueSchedules> {
        const DUE: &str = "
            SELECT * FROM {p}schedule
            WHERE next_run <= ? AND next_run >= ? AND (next_run > ? OR id > ?)
            ORDER BY next_run, id
            LIMIT ?";
        const NEXT: &str = "SELECT next_run FROM {p}schedule WHERE next_run > ? ORDER BY next_run LIMIT 1";
        let (at, id) = self.after.as_ref().map_or((Timestamp::UNIX_EPOCH, ""), |(at, id)| (*at, id.as_str()));
        let rows = session.fetch(DUE, params![self.now, at, at, id, self.limit]).await?;
        let due = read(session, &rows, stored_schedule)?;
        let rows = session.fetch(NEXT, params![self.now]).await?;
        let next_due = read(session, &rows, |row| row.time("next_run"))?.pop();
        Ok(DueSchedules { due, next_due })
    }
}

pub(crate) struct FindSchedule(pub(crate) ScheduleId);

impl Query for FindSchedule {
    type Answer = Option<StoredSchedule>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Option<StoredSchedule>> {
        let rows = session.fetch("SELECT * FROM {p}schedule WHERE id = ?", params![self.0.as_str()]).await?;
        Ok(read(session, &rows, stored_schedule)?.pop())
    }
}

/// A page of all schedules.
pub(crate) struct ListSchedules {
    pub(crate) after: Option<ScheduleId>,
    pub(crate) limit: usize,
}

impl Query for ListSchedules {
    type Answer = Vec<StoredSchedule>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Vec<StoredSchedule>> {
        let after = self.after.as_ref().map_or("", ScheduleId::as_str);
        let select = "SELECT * FROM {p}schedule WHERE id > ? ORDER BY id LIMIT ?";
        let rows = session.fetch(select, params![after, self.limit]).await?;
        read(session, &rows, stored_schedule)
    }
}

fn stored_schedule<R: Columns>(row: &Reader<'_, R>) -> StorageResult<StoredSchedule> {
    Ok(StoredSchedule {
        id: ScheduleId::stored(row.text("id")?),
        version: row.int("version")?,
        next_run: row.optional_time("next_run")?,
        definition: row.text("definition")?,
        progress: row.text("progress")?,
    })
}
