//! The tables: one numbered list of migrations, applied when the storage is opened.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{Shared, connection::explain, session::DIALECT};
use crate::storage::{
    Migration, StorageResult,
    sql::{Migrations, Templates},
};

/// Each makes one version from the version before it.
const MIGRATIONS: Migrations = Migrations {
    before: "CREATE TABLE IF NOT EXISTS {p}schema (version INTEGER NOT NULL);\n\n",
    steps: &[
        ("jobs", include_str!("migrations/0001_jobs.sql")),
        ("schedules", include_str!("migrations/0002_schedules.sql")),
        ("parameters", include_str!("migrations/0003_parameters.sql")),
        ("locks", include_str!("migrations/0004_locks.sql")),
    ],
};

/// All migrations, as they are to be run by hand.
pub(super) fn migrations(table_prefix: &str) -> Vec<Migration> {
    MIGRATIONS.after(0, &Templates::new(table_prefix, &DIALECT))
}

/// Brings the tables up to date, or checks that they are.
pub(super) async fn prepare(connection: &mut SqliteConnection, shared: &Shared) -> StorageResult<()> {
    let options = &shared.options;
    let failed = |error| explain(options, error);
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let found = version(&mut tx, shared).await.map_err(failed)?;
    if MIGRATIONS.check(&options.common, found)? {
        migrate(&mut tx, shared, found, MIGRATIONS.latest()).await.map_err(failed)?;
    }
    let there = tables(&mut tx).await.map_err(failed)?;
    MIGRATIONS.check_tables(&options.common, &options.table_prefix, &there)?;
    tx.commit().await.map_err(failed)
}

/// The version of the tables, 0 if there are none.
async fn version(connection: &mut SqliteConnection, shared: &Shared) -> sqlx::Result<i64> {
    if !tables(connection).await?.contains(&format!("{}schema", shared.options.table_prefix)) {
        return Ok(0);
    }
    sqlx::query_scalar(shared.sql.get("SELECT COALESCE(MAX(version), 0) FROM {p}schema")).fetch_one(connection).await
}

/// Applies the migrations after version `found`, up to `wanted`.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    shared: &Shared,
    found: i64,
    wanted: i64,
) -> sqlx::Result<()> {
    let migrations = MIGRATIONS.after(found, &shared.sql);
    for migration in migrations.into_iter().filter(|migration| migration.version <= wanted) {
        sqlx::raw_sql(AssertSqlSafe(migration.sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn tables(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(connection).await
}
