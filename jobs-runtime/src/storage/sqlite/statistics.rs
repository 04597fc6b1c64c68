//! Counting what was finished, hour by hour.

use super::tx::Tx;
use crate::{
    state::StateName,
    storage::{Period, StorageResult},
};

impl Tx<'_> {
    /// Adds to the statistics of the present hour.
    pub(super) async fn count_ended(&mut self, state: StateName, jobs: u64) -> StorageResult<()> {
        let upsert = match state {
            StateName::Succeeded => COUNT_SUCCEEDED,
            StateName::Failed => COUNT_FAILED,
            StateName::Deleted => COUNT_DELETED,
            _ => return Ok(()),
        };
        let hour = Period::Hour.start(self.now);
        sqlx::query(self.sql(upsert))
            .bind(hour)
            .bind(i64::try_from(jobs).unwrap_or(i64::MAX))
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }
}

const COUNT_SUCCEEDED: &str = "
    INSERT INTO {p}statistics (hour, succeeded, failed, deleted) VALUES (?1, ?2, 0, 0)
    ON CONFLICT (hour) DO UPDATE SET succeeded = succeeded + ?2";
const COUNT_FAILED: &str = "
    INSERT INTO {p}statistics (hour, succeeded, failed, deleted) VALUES (?1, 0, ?2, 0)
    ON CONFLICT (hour) DO UPDATE SET failed = failed + ?2";
const COUNT_DELETED: &str = "
    INSERT INTO {p}statistics (hour, succeeded, failed, deleted) VALUES (?1, 0, 0, ?2)
    ON CONFLICT (hour) DO UPDATE SET deleted = deleted + ?2";
