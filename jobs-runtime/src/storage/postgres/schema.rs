//! The tables: one numbered list of migrations, applied when the storage is opened.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::{PostgresOptions, connection::explain};
use crate::storage::{StorageError, StorageResult, sql::Templates};

/// Each makes one version from the version before it.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_jobs.sql")];

/// The earliest version of the server that is tested.
const EARLIEST: i32 = 130_000;

/// The version that this program writes.
fn supported() -> i64 {
    MIGRATIONS.len() as i64
}

/// Brings the tables up to date, or checks that they are.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    sql: &Templates,
) -> StorageResult<()> {
    let failed = |error| explain(options, error);
    check_server(connection, options).await?;
    let mut tx = connection.begin().await.map_err(failed)?;
    // Two processes that start at once migrate one after the other.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    sqlx::query(lock).bind(format!("jobs:{}", options.schema)).execute(&mut *tx).await.map_err(failed)?;
    let found = version(&mut tx, options, sql).await.map_err(failed)?;
    if found > supported() {
        return Err(StorageError::SchemaTooNew { storage: options.url(), found, supported: supported() });
    }
    if found < supported() && !options.migrate {
        return Err(not_migrated(options, found));
    }
    if found < supported() {
        migrate(&mut tx, options, sql, found).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)
}

async fn check_server(connection: &mut PgConnection, options: &PostgresOptions) -> StorageResult<()> {
    let row = sqlx::query("SELECT current_setting('server_version_num')::int4, current_setting('server_version')")
        .fetch_one(connection)
        .await
        .map_err(|error| explain(options, error))?;
    let (number, name): (i32, String) = (row.get(0), row.get(1));
    if number >= EARLIEST {
        return Ok(());
    }
    Err(options
        .open_error(format!("the server is PostgreSQL {name}; version {} or later is needed", EARLIEST / 10_000)))
}

fn not_migrated(options: &PostgresOptions, found: i64) -> StorageError {
    options.open_error(format!(
        "its tables are of schema version {found}, version {} is needed, and migrating is switched off; open it once \
         with `migrate` on",
        supported()
    ))
}

/// The version of the tables, 0 if there are none.
async fn version(connection: &mut PgConnection, options: &PostgresOptions, sql: &Templates) -> sqlx::Result<i64> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("{}.schema", options.schema))
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(0);
    }
    sqlx::query_scalar(sql.get("SELECT COALESCE(max(version), 0) FROM {p}schema")).fetch_one(connection).await
}

async fn migrate(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    sql: &Templates,
    found: i64,
) -> sqlx::Result<()> {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .bind(&options.schema)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        let create = format!("CREATE SCHEMA {}", options.schema);
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *connection).await?;
    }
    sqlx::query(sql.get("CREATE TABLE IF NOT EXISTS {p}schema (version BIGINT NOT NULL)"))
        .execute(&mut *connection)
        .await?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let text = sql.expand(migration, "", 0);
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
        let insert = sql.get("INSERT INTO {p}schema (version) VALUES (?)");
        sqlx::query(insert).bind(version).execute(&mut *connection).await?;
    }
    Ok(())
}
