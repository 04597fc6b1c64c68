//! What the statements that all SQL storages share need of SQLite.

use sqlx::{
    Row, SqlStr, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    Shared, enqueue,
    tx::{IDS, Tx},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{
        NewJob, Retention, StorageResult,
        signals::Effects,
        sql::{Columns, Dialect, Param, Session, Stored, Write, params},
    },
};

pub(super) const DIALECT: Dialect = Dialect {
    // One parameter for any number of ids, each sixteen bytes, keeps the statement in the cache of prepared ones.
    in_ids: "IN (
        WITH RECURSIVE packed (bytes) AS (SELECT ?),
        ids (i, job) AS (
            SELECT 0, substr(bytes, 1, 16) FROM packed WHERE length(bytes) > 0
            UNION ALL
            SELECT i + 1, substr(bytes, 16 * i + 17, 16) FROM ids, packed WHERE 16 * (i + 1) < length(bytes)
        )
        SELECT job FROM ids
    )",
    locked: "",
    insert_new: "INSERT",
    if_new: "ON CONFLICT DO NOTHING",
    join: "CROSS JOIN",
    rank: "rank",
    integer: "INTEGER",
    numbered: false,
    own: &[("{ids}", IDS)],
};

/// A connection that only reads.
pub(super) struct Reading<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    pub(super) shared: &'c Shared,
}

impl Session for Reading<'_> {
    type Row = SqliteRow;

    fn storage(&self) -> String {
        self.shared.url()
    }

    async fn execute(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<u64> {
        execute(self.connection, self.shared, template, params).await
    }

    async fn fetch(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<Vec<SqliteRow>> {
        let text = self.shared.sql.get(template);
        fetch(self.connection, self.shared, text, params).await
    }

    async fn fetch_text(&mut self, template: String, params: Vec<Param>) -> StorageResult<Vec<SqliteRow>> {
        let text = self.shared.sql.once(&template);
        fetch(self.connection, self.shared, text, params).await
    }
}

impl Session for Tx<'_> {
    type Row = SqliteRow;

    fn storage(&self) -> String {
        self.shared.url()
    }

    async fn execute(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<u64> {
        execute(self.connection, self.shared, template, params).await
    }

    async fn fetch(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<Vec<SqliteRow>> {
        let text = self.shared.sql.get(template);
        fetch(self.connection, self.shared, text, params).await
    }

    async fn fetch_text(&mut self, template: String, params: Vec<Param>) -> StorageResult<Vec<SqliteRow>> {
        let text = self.shared.sql.once(&template);
        fetch(self.connection, self.shared, text, params).await
    }
}

impl Write for Tx<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn retention(&self) -> Retention {
        self.shared.options.common.retention
    }

    fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    async fn next_place(&mut self) -> StorageResult<i64> {
        self.numbers(1).await
    }

    async fn next_version(&mut self) -> StorageResult<i64> {
        self.numbers(1).await
    }

    async fn count(&mut self, state: StateName, jobs: u64) -> StorageResult<()> {
        self.count_ended(state, jobs).await
    }

    async fn wait_in_queue(&mut self, job: &Stored, place: i64) -> StorageResult<()> {
        const INSERT: &str = "INSERT INTO {p}ready (queue, rank, seq, job) VALUES (?, ?, ?, ?)";
        self.execute(INSERT, params![job.queue.as_str(), -job.priority, place, job.id]).await?;
        Ok(())
    }

    async fn store(&mut self, jobs: &[&NewJob]) -> StorageResult<()> {
        enqueue::store(self, jobs).await
    }
}

async fn execute(
    connection: &mut SqliteConnection,
    shared: &Shared,
    template: &'static str,
    params: Vec<Param>,
) -> StorageResult<u64> {
    let query = bind(sqlx::query(shared.sql.get(template)), params);
    let done = query.execute(connection).await.map_err(|error| shared.failed(error))?;
    Ok(done.rows_affected())
}

async fn fetch(
    connection: &mut SqliteConnection,
    shared: &Shared,
    text: SqlStr,
    params: Vec<Param>,
) -> StorageResult<Vec<SqliteRow>> {
    bind(sqlx::query(text), params).fetch_all(connection).await.map_err(|error| shared.failed(error))
}

pub(super) fn bind(
    query: Query<'static, Sqlite, SqliteArguments>,
    params: Vec<Param>,
) -> Query<'static, Sqlite, SqliteArguments> {
    params.into_iter().fold(query, |query, param| match param {
        Param::Int(number) => query.bind(number),
        Param::Text(text) => query.bind(text),
        Param::Id(id) => query.bind(id.map(|id| id.as_bytes().to_vec())),
        Param::Ids(ids) => query.bind(ids.iter().flat_map(|id| *id.as_bytes()).collect::<Vec<u8>>()),
    })
}

impl Columns for SqliteRow {
    fn int(&self, column: &str) -> sqlx::Result<Option<i64>> {
        self.try_get(column)
    }

    fn text(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.try_get(column)
    }

    fn id(&self, column: &str) -> sqlx::Result<Option<JobId>> {
        let Some(bytes) = self.try_get::<Option<&[u8]>, _>(column)? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|_| sqlx::Error::Decode("it is not a job id".into()))?;
        Ok(Some(JobId::from_bytes(bytes)))
    }
}
