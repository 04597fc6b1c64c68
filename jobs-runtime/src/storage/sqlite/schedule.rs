//! Schedules: found by readers, written only if they are still as they were found.

use sqlx::{SqlStr, Sqlite, query::Query, sqlite::SqliteArguments};

use super::{
    SqliteStorage, enqueue,
    rows::Reader,
    tx::{Tx, Verb, micros},
};
use crate::{
    schedule::ScheduleId,
    storage::{
        DueCursor, DueSchedules, NewJob, ScheduleContent, ScheduleWrite, ScheduleWritten, StorageResult, StoredSchedule,
    },
};

/// Changes schedules, and stores the jobs that they make.
pub(super) struct WriteSchedules(pub(super) Vec<ScheduleWrite>);

impl Verb for WriteSchedules {
    type Answer = Vec<ScheduleWritten>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<ScheduleWritten>> {
        let mut answers = Vec::with_capacity(self.0.len());
        let mut jobs: Vec<&NewJob> = Vec::new();
        for write in &self.0 {
            let stored = apply(tx, write).await?;
            if stored {
                tx.effects.recurring = true;
                jobs.extend(&write.jobs);
            }
            answers.push(if stored { ScheduleWritten::Stored } else { ScheduleWritten::Conflict });
        }
        enqueue::store(tx, &jobs).await?;
        Ok(answers)
    }
}

/// Changes one schedule, unless it isn't as it was found; returns whether it was.
async fn apply(tx: &mut Tx<'_>, write: &ScheduleWrite) -> StorageResult<bool> {
    let query = match (&write.content, write.found) {
        (Some(content), None) => {
            let version = tx.numbers(1).await?;
            bind(tx.sql(INSERT), content, version).bind(write.id.to_string())
        }
        (Some(content), Some(found)) => {
            let version = tx.numbers(1).await?;
            bind(tx.sql(UPDATE), content, version).bind(write.id.to_string()).bind(found)
        }
        (None, Some(found)) => sqlx::query(tx.sql(DELETE)).bind(write.id.to_string()).bind(found),
        // It was not there, and is not to be.
        (None, None) => return Ok(false),
    };
    let done = query.execute(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
    Ok(done.rows_affected() == 1)
}

const INSERT: &str = "
    INSERT INTO {p}schedule (version, next_run, definition, progress, id)
    VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO NOTHING";
const UPDATE: &str = "
    UPDATE {p}schedule
    SET version = ?, next_run = ?, definition = ?, progress = ?
    WHERE id = ? AND version = ?";
const DELETE: &str = "DELETE FROM {p}schedule WHERE id = ? AND version = ?";

fn bind(statement: SqlStr, content: &ScheduleContent, version: i64) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(statement)
        .bind(version)
        .bind(content.next_run.map(micros))
        .bind(content.definition.clone())
        .bind(content.progress.clone())
}

impl SqliteStorage {
    pub(super) async fn find_due(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        let now = micros(self.shared.options.clock.now());
        let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (micros(at), id.into()));
        let due = self.shared.sql.get(
            "SELECT * FROM {p}schedule
             WHERE next_run <= ? AND (next_run, id) > (?, ?)
             ORDER BY next_run, id
             LIMIT ?",
        );
        let due = sqlx::query(due).bind(now).bind(at).bind(id).bind(limit as i64);
        let next = self.shared.sql.get("SELECT next_run FROM {p}schedule WHERE next_run > ? ORDER BY next_run LIMIT 1");
        let next = sqlx::query(next).bind(now);
        let reader = self.server_reader.clone();
        let read = async move { Ok((due.fetch_all(&reader).await?, next.fetch_optional(&reader).await?)) };
        let (due, next) = self.writer.read(read).await?;
        let due = due.iter().map(|row| schedule(&self.reader(row))).collect::<StorageResult<_>>()?;
        let next_due = next.map(|row| self.reader(&row).time("next_run")).transpose()?;
        Ok(DueSchedules { due, next_due })
    }

    pub(super) async fn find_schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        let select = self.shared.sql.get("SELECT * FROM {p}schedule WHERE id = ?");
        let rows = self.rows(sqlx::query(select).bind(id.to_string())).await?;
        rows.first().map(|row| schedule(&self.reader(row))).transpose()
    }

    pub(super) async fn find_schedules(
        &self,
        after: Option<&ScheduleId>,
        limit: usize,
    ) -> StorageResult<Vec<StoredSchedule>> {
        let select = self.shared.sql.get("SELECT * FROM {p}schedule WHERE id > ? ORDER BY id LIMIT ?");
        let after = after.map(ToString::to_string).unwrap_or_default();
        let rows = self.rows(sqlx::query(select).bind(after).bind(limit as i64)).await?;
        rows.iter().map(|row| schedule(&self.reader(row))).collect()
    }
}

fn schedule(row: &Reader<'_>) -> StorageResult<StoredSchedule> {
    Ok(StoredSchedule {
        id: ScheduleId::stored(row.get("id")?),
        version: row.get("version")?,
        next_run: row.optional_time("next_run")?,
        definition: row.get("definition")?,
        progress: row.get("progress")?,
    })
}
