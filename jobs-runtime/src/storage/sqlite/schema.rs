//! The tables: one numbered list of migrations, applied when the storage is opened.

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::{Shared, SqliteOptions, connection::explain};
use crate::storage::{StorageError, StorageResult};

/// Each makes one version from the version before it.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_jobs.sql"), include_str!("migrations/0002_schedules.sql")];

/// The tables that must be there.
const TABLES: &[&str] = &[
    "sequence",
    "job",
    "ready",
    "scheduled",
    "awaiting",
    "processing",
    "succeeded",
    "failed",
    "deleted",
    "history",
    "statistics",
    "server",
    "schedule",
];

/// The version that this program writes.
fn supported() -> i64 {
    MIGRATIONS.len() as i64
}

/// Brings the tables up to date, or checks that they are.
pub(super) async fn prepare(connection: &mut SqliteConnection, shared: &Shared) -> StorageResult<()> {
    let options = &shared.options;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|error| explain(options, error))?;
    let found = version(&mut tx, shared).await.map_err(|error| explain(options, error))?;
    if found > supported() {
        return Err(StorageError::SchemaTooNew { storage: shared.url(), found, supported: supported() });
    }
    if found < supported() && !options.migrate {
        return Err(not_migrated(options, found));
    }
    if found < supported() {
        migrate(&mut tx, shared, found, supported()).await.map_err(|error| explain(options, error))?;
    }
    check_tables(&mut tx, shared).await?;
    tx.commit().await.map_err(|error| explain(options, error))
}

fn not_migrated(options: &SqliteOptions, found: i64) -> StorageError {
    let reason = format!(
        "its tables are of schema version {found}, version {} is needed, and migrating is switched off; open it once \
         with `migrate` on",
        supported()
    );
    StorageError::Open { storage: options.url(), reason, source: None }
}

async fn version(connection: &mut SqliteConnection, shared: &Shared) -> sqlx::Result<i64> {
    let create = shared.sql.get("CREATE TABLE IF NOT EXISTS {p}schema (version INTEGER NOT NULL)");
    sqlx::query(create).execute(&mut *connection).await?;
    sqlx::query_scalar(shared.sql.get("SELECT COALESCE(MAX(version), 0) FROM {p}schema")).fetch_one(connection).await
}

/// Applies the migrations after version `found`, up to `wanted`.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    shared: &Shared,
    found: i64,
    wanted: i64,
) -> sqlx::Result<()> {
    for (version, migration) in (1..=wanted).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let text = shared.sql.expand(migration, "", 0);
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
        let insert = shared.sql.get("INSERT INTO {p}schema (version) VALUES (?)");
        sqlx::query(insert).bind(version).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Tells at the start, and not at the first job, that someone dropped a table.
async fn check_tables(connection: &mut SqliteConnection, shared: &Shared) -> StorageResult<()> {
    let rows = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(connection)
        .await
        .map_err(|error| explain(&shared.options, error))?;
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let prefix = &shared.options.table_prefix;
    let missing: Vec<String> =
        TABLES.iter().map(|table| format!("{prefix}{table}")).filter(|table| !there.contains(table)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(shared.corrupt(format!(
        "its schema version is {}, but these tables are missing: {}",
        supported(),
        missing.join(", ")
    )))
}
