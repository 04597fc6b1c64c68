use sqlx::{SqlStr, SqliteConnection};

use super::Shared;
use crate::{
    clock::Timestamp,
    job::JobId,
    storage::{NewJob, StorageError, StorageResult, signals::Effects, sql::Verb},
};

/// The write transaction in which verbs run.
pub(super) struct Tx<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    pub(super) shared: &'c Shared,
    pub(super) now: Timestamp,
    pub(super) effects: Effects,
}

/// A write, as the writer runs it: perhaps together with others, perhaps again after others failed.
pub(super) trait Task: Send + Sync + 'static {
    type Answer: Send + Sync + 'static;

    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = StorageResult<Self::Answer>> + Send;

    /// New jobs that may be stored together with those of other callers, and what this one is then answered.
    fn mergeable(&self) -> Option<(&[NewJob], Self::Answer)> {
        None
    }
}

/// A verb that all SQL storages share.
pub(super) struct SharedVerb<V>(pub(super) V);

impl<V: Verb> Task for SharedVerb<V> {
    type Answer = V::Answer;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<V::Answer> {
        self.0.run(tx).await
    }
}

impl Tx<'_> {
    pub(super) fn sql(&self, template: &'static str) -> SqlStr {
        self.shared.sql.get(template)
    }

    pub(super) fn rows_sql(&self, template: &'static str, row: &str, count: usize) -> SqlStr {
        self.shared.sql.with_rows(template, row, count)
    }

    pub(super) fn failed(&self, error: sqlx::Error) -> StorageError {
        self.shared.failed(error)
    }

    /// The first of `count` numbers that no one else gets.
    pub(super) async fn numbers(&mut self, count: usize) -> StorageResult<i64> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let update = self.sql("UPDATE {p}sequence SET value = value + ? RETURNING value");
        let last: i64 = sqlx::query_scalar(update)
            .bind(count)
            .fetch_one(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(last - count + 1)
    }

    /// Runs a statement that takes many packed ids, as its first parameter, and a number, as its second.
    pub(super) async fn execute_ids(
        &mut self,
        template: &'static str,
        ids: Vec<u8>,
        second: i64,
    ) -> StorageResult<u64> {
        let statement = self.shared.sql.get(template);
        let done = sqlx::query(statement).bind(ids).bind(second).execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.failed(error))
    }
}

pub(super) fn micros(moment: Timestamp) -> i64 {
    moment.timestamp_micros()
}

/// Many ids as one parameter; see [`IDS`].
pub(super) fn packed<'a>(ids: impl IntoIterator<Item = &'a JobId>) -> Vec<u8> {
    ids.into_iter().flat_map(|id| *id.as_bytes()).collect()
}

/// Reads one parameter, many ids of sixteen bytes each, as the table `ids (i, job)`.
///
/// One parameter and one text for any number of ids keep the statement in the cache of prepared ones.
pub(super) const IDS: &str = "ids (i, job) AS (
    SELECT 0, substr(?1, 1, 16) WHERE length(?1) > 0
    UNION ALL
    SELECT i + 1, substr(?1, 16 * i + 17, 16) FROM ids WHERE 16 * (i + 1) < length(?1)
)";
