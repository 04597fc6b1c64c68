//! What the statements that all SQL storages share need of PostgreSQL.

use sqlx::{
    Postgres as Pg, Row, SqlStr, TypeInfo, ValueRef,
    postgres::{PgArguments, PgRow},
};
use uuid::Uuid;

use super::{Postgres, enqueue};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{
        NewJob, Retention, StorageResult,
        signals::Effects,
        sql::{Columns, Dialect, Param, Session, Stored, Write, count, params, pooled},
    },
};

pub(super) const DIALECT: Dialect = Dialect {
    in_ids: "= ANY(?)",
    locked: "FOR UPDATE OF j",
    insert_new: "INSERT",
    if_new: "ON CONFLICT DO NOTHING",
    join: "INNER JOIN",
    rank: "rank",
    integer: "BIGINT",
    numbered: true,
    own: &[(
        "{add_counts}",
        "ON CONFLICT (hour, shard) DO UPDATE
         SET succeeded = {p}statistics.succeeded + excluded.succeeded,
             failed = {p}statistics.failed + excluded.failed,
             deleted = {p}statistics.deleted + excluded.deleted",
    )],
};

/// A statement with its parameters.
pub(super) type Query = sqlx::query::Query<'static, Pg, PgArguments>;

/// A connection in a transaction.
pub(super) type Tx<'c> = pooled::Tx<'c, Postgres>;

impl Tx<'_> {
    pub(super) fn query(&self, template: &'static str) -> Query {
        self.prepared(self.shared.sql.get(template))
    }

    /// Behind a pooler a statement that stays prepared would be found by others under its name, and not by this process.
    fn prepared(&self, text: SqlStr) -> Query {
        sqlx::query(text).persistent(!self.shared.driver.has_pooler)
    }

    async fn rows(&mut self, text: SqlStr, params: Vec<Param>) -> StorageResult<Vec<PgRow>> {
        let query = bind(self.prepared(text), params);
        query.fetch_all(&mut *self.connection).await.map_err(|error| self.shared.failed(error))
    }
}

impl Session for Tx<'_> {
    type Row = PgRow;

    fn storage(&self) -> String {
        self.shared.url()
    }

    async fn execute(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<u64> {
        let query = bind(self.query(template), params);
        let done = query.execute(&mut *self.connection).await.map_err(|error| self.shared.failed(error))?;
        Ok(done.rows_affected())
    }

    async fn fetch(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<Vec<PgRow>> {
        self.rows(self.shared.sql.get(template), params).await
    }

    async fn fetch_text(&mut self, template: String, params: Vec<Param>) -> StorageResult<Vec<PgRow>> {
        self.rows(self.shared.sql.once(&template), params).await
    }
}

impl Write for Tx<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn retention(&self) -> Retention {
        self.shared.common.retention
    }

    fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    async fn next_place(&mut self) -> StorageResult<i64> {
        let next = self.query("SELECT nextval('{p}place')").fetch_one(&mut *self.connection).await;
        next.and_then(|row| row.try_get(0)).map_err(|error| self.shared.failed(error))
    }

    async fn next_version(&mut self) -> StorageResult<i64> {
        let next = self.query("SELECT nextval('{p}token')").fetch_one(&mut *self.connection).await;
        next.and_then(|row| row.try_get(0)).map_err(|error| self.shared.failed(error))
    }

    /// Who waits in another order than the one that has the lock is noticed after a second, and has to begin again.
    async fn lock(&mut self, ids: Vec<JobId>) -> StorageResult<()> {
        if ids.len() > 1 {
            self.fetch("SELECT id FROM {p}job WHERE id {in_ids} ORDER BY id FOR UPDATE", params![ids]).await?;
        }
        Ok(())
    }

    async fn count(&mut self, state: StateName, jobs: u64) -> StorageResult<()> {
        let shard = self.shard;
        count(self, shard, state, jobs).await
    }

    async fn wait_in_queue(&mut self, job: &Stored, place: i64) -> StorageResult<()> {
        const INSERT: &str = "
            INSERT INTO {p}ready (queue, rank, seq, job, awaited)
            SELECT queue, -priority, ?, id, awaited FROM {p}job WHERE id = ?";
        self.execute(INSERT, params![place, job.id]).await?;
        self.came_back = true;
        Ok(())
    }

    async fn store(&mut self, jobs: &[&NewJob]) -> StorageResult<()> {
        enqueue::store(self, jobs).await
    }
}

fn bind(query: Query, params: Vec<Param>) -> Query {
    params.into_iter().fold(query, |query, param| match param {
        Param::Int(number) => query.bind(number),
        Param::Text(text) => query.bind(text),
        Param::Id(id) => query.bind(id.map(uuid)),
        Param::Ids(ids) => query.bind(ids.into_iter().map(uuid).collect::<Vec<Uuid>>()),
    })
}

pub(super) fn uuid(id: JobId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

impl Columns for PgRow {
    fn int(&self, column: &str) -> sqlx::Result<Option<i64>> {
        match self.try_get_raw(column)?.type_info().name() {
            "INT2" => Ok(self.try_get::<Option<i16>, _>(column)?.map(i64::from)),
            "INT4" => Ok(self.try_get::<Option<i32>, _>(column)?.map(i64::from)),
            _ => self.try_get(column),
        }
    }

    fn text(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.try_get(column)
    }

    fn id(&self, column: &str) -> sqlx::Result<Option<JobId>> {
        Ok(self.try_get::<Option<Uuid>, _>(column)?.map(|uuid| JobId::from_bytes(*uuid.as_bytes())))
    }
}
