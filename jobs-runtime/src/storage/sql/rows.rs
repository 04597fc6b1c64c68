//! Reads the columns of rows, and says which one is damaged.

use serde::de::DeserializeOwned;
use tracing::warn;

use super::session::{Columns, corrupt};
use crate::{
    clock::Timestamp,
    job::{JobId, JobName, Parameters, Recurrence, ScheduleId},
    state::StateName,
    storage::{ClaimToken, StorageError, StorageResult},
};

/// A row with the storage it came from.
pub(crate) struct Reader<'r, R> {
    pub(crate) row: &'r R,
    pub(crate) storage: &'r str,
}

impl<R: Columns> Reader<'_, R> {
    pub(crate) fn optional_int(&self, column: &str) -> StorageResult<Option<i64>> {
        self.row.int(column).map_err(|error| self.damaged(column, &error.to_string()))
    }

    pub(crate) fn int(&self, column: &str) -> StorageResult<i64> {
        self.optional_int(column)?.ok_or_else(|| self.damaged(column, "is missing"))
    }

    pub(crate) fn number(&self, column: &str) -> StorageResult<u32> {
        u32::try_from(self.int(column)?).map_err(|_| self.damaged(column, "is out of range"))
    }

    pub(crate) fn optional_number(&self, column: &str) -> StorageResult<Option<u32>> {
        let number = self.optional_int(column)?.map(u32::try_from).transpose();
        number.map_err(|_| self.damaged(column, "is out of range"))
    }

    pub(crate) fn optional_text(&self, column: &str) -> StorageResult<Option<String>> {
        self.row.text(column).map_err(|error| self.damaged(column, &error.to_string()))
    }

    pub(crate) fn text(&self, column: &str) -> StorageResult<String> {
        self.optional_text(column)?.ok_or_else(|| self.damaged(column, "is missing"))
    }

    pub(crate) fn optional_id(&self, column: &str) -> StorageResult<Option<JobId>> {
        self.row.id(column).map_err(|error| self.damaged(column, &error.to_string()))
    }

    pub(crate) fn id(&self, column: &str) -> StorageResult<JobId> {
        self.optional_id(column)?.ok_or_else(|| self.damaged(column, "is missing"))
    }

    pub(crate) fn optional_time(&self, column: &str) -> StorageResult<Option<Timestamp>> {
        let time =
            |micros| Timestamp::from_timestamp_micros(micros).ok_or_else(|| self.damaged(column, "is not a time"));
        self.optional_int(column)?.map(time).transpose()
    }

    pub(crate) fn time(&self, column: &str) -> StorageResult<Timestamp> {
        self.optional_time(column)?.ok_or_else(|| self.damaged(column, "is missing"))
    }

    pub(crate) fn state(&self, column: &str) -> StorageResult<StateName> {
        self.text(column)?.parse().map_err(|_| self.damaged(column, "is not a state"))
    }

    /// A column of JSON that this library wrote.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> StorageResult<T> {
        serde_json::from_str(&self.text(column)?)
            .map_err(|error| self.damaged(column, &format!("can't be read: {error}")))
    }

    /// From the columns `type` and `method`.
    pub(crate) fn job_name(&self) -> StorageResult<JobName> {
        Ok(JobName::stored(self.text("type")?, self.text("method")?))
    }

    /// From the columns `schedule` and `slot`.
    pub(crate) fn recurrence(&self) -> StorageResult<Option<Recurrence>> {
        let Some(schedule) = self.optional_text("schedule")? else { return Ok(None) };
        Ok(Some(Recurrence { schedule: ScheduleId::stored(schedule), slot: self.optional_time("slot")? }))
    }

    /// From the column `parameters`. What another program has written there that is no object must not keep others' jobs
    /// from being claimed: it is none.
    pub(crate) fn parameters(&self) -> StorageResult<Parameters> {
        Ok(Parameters::stored(self.optional_text("parameters")?.as_deref()).unwrap_or_else(|error| {
            warn!(storage = self.storage, %error, "the parameters of a job can't be read, and are taken for none");
            Parameters::new()
        }))
    }

    pub(crate) fn damaged(&self, column: &str, problem: &str) -> StorageError {
        corrupt(self.storage, format!("column `{column}` {problem}"))
    }
}

/// A claim, from the columns `job` and `token`.
pub(crate) fn claim<R: Columns>(row: &Reader<'_, R>) -> StorageResult<(JobId, ClaimToken)> {
    Ok((row.id("job")?, ClaimToken(row.int("token")?)))
}
