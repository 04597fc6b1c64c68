//! Reads the columns of rows, and says which one is damaged.

use serde::de::DeserializeOwned;
use sqlx::{Decode, Row, Sqlite, Type, sqlite::SqliteRow};

use super::Shared;
use crate::{
    clock::Timestamp,
    job::{JobId, Recurrence, ScheduleId},
    state::StateName,
    storage::{ClaimToken, StorageError, StorageResult},
};

/// A row with the storage it came from.
pub(super) struct Reader<'r> {
    pub(super) row: &'r SqliteRow,
    pub(super) shared: &'r Shared,
}

impl<'r> Reader<'r> {
    pub(super) fn get<T: Decode<'r, Sqlite> + Type<Sqlite>>(&self, column: &str) -> StorageResult<T> {
        self.row.try_get(column).map_err(|error| self.shared.corrupt(format!("column `{column}`: {error}")))
    }

    pub(super) fn id(&self, column: &str) -> StorageResult<JobId> {
        let bytes: &[u8] = self.get(column)?;
        let bytes = bytes.try_into().map_err(|_| self.damaged(column, "is not a job id"))?;
        Ok(JobId::from_bytes(bytes))
    }

    pub(super) fn optional_id(&self, column: &str) -> StorageResult<Option<JobId>> {
        match self.get::<Option<&[u8]>>(column)? {
            Some(_) => self.id(column).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn number(&self, column: &str) -> StorageResult<u32> {
        let number: i64 = self.get(column)?;
        u32::try_from(number).map_err(|_| self.damaged(column, "is out of range"))
    }

    pub(super) fn time(&self, column: &str) -> StorageResult<Timestamp> {
        let micros: i64 = self.get(column)?;
        Timestamp::from_timestamp_micros(micros).ok_or_else(|| self.damaged(column, "is not a time"))
    }

    pub(super) fn optional_time(&self, column: &str) -> StorageResult<Option<Timestamp>> {
        match self.get::<Option<i64>>(column)? {
            Some(_) => self.time(column).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn state(&self, column: &str) -> StorageResult<StateName> {
        let text: &str = self.get(column)?;
        text.parse().map_err(|_| self.damaged(column, "is not a state"))
    }

    /// A column of JSON that this library wrote.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> StorageResult<T> {
        let text: &str = self.get(column)?;
        serde_json::from_str(text).map_err(|error| self.damaged(column, &format!("can't be read: {error}")))
    }

    /// From the columns `schedule` and `slot`.
    pub(super) fn recurrence(&self) -> StorageResult<Option<Recurrence>> {
        let Some(schedule) = self.get::<Option<String>>("schedule")? else { return Ok(None) };
        Ok(Some(Recurrence { schedule: ScheduleId::stored(schedule), slot: self.optional_time("slot")? }))
    }

    fn damaged(&self, column: &str, problem: &str) -> StorageError {
        self.shared.corrupt(format!("column `{column}` {problem}"))
    }
}

/// A claim, from the columns `job` and `token`.
pub(super) fn claim(row: &Reader<'_>) -> StorageResult<(JobId, ClaimToken)> {
    Ok((row.id("job")?, ClaimToken(row.get("token")?)))
}
