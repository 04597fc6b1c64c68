//! The tables: one numbered list of migrations, applied when the storage is opened.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::{Postgres, options::prefix, session::DIALECT};
use crate::storage::{
    StorageResult,
    sql::{CommonOptions, Migration, Migrations, Templates, pooled::explain},
};

/// Each makes one version from the version before it.
pub(super) const MIGRATIONS: Migrations = Migrations {
    before: "CREATE TABLE IF NOT EXISTS {p}schema (version BIGINT NOT NULL);\n\n",
    steps: &[
        ("jobs", include_str!("migrations/0001_jobs.sql")),
        ("enqueue", include_str!("migrations/0002_enqueue.sql")),
        ("parameters", include_str!("migrations/0003_parameters.sql")),
        ("locks", include_str!("migrations/0004_locks.sql")),
    ],
};

/// The earliest version of the server that is tested.
const EARLIEST: i32 = 130_000;

/// All migrations, as they are to be run by hand.
pub(super) fn migrations(schema: &str) -> Vec<Migration> {
    let mut migrations = MIGRATIONS.after(0, &Templates::new(prefix(schema), &DIALECT));
    if let Some(first) = migrations.first_mut() {
        first.sql.insert_str(0, &format!("CREATE SCHEMA IF NOT EXISTS {schema};\n\n"));
    }
    migrations
}

/// Brings the tables up to date, or checks that they are. Nothing stays in the connection, which may be a pooler's.
pub(super) async fn prepare(
    driver: &Postgres,
    options: &CommonOptions,
    connection: &mut PgConnection,
) -> StorageResult<()> {
    let schema = driver.schema.as_str();
    let failed = |error| explain(driver, options, error);
    let mut tx = connection.begin().await.map_err(failed)?;
    check_server(&mut tx, options, failed).await?;
    // Two processes that start at once migrate one after the other.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    sqlx::query(lock).persistent(false).bind(format!("jobs:{schema}")).execute(&mut *tx).await.map_err(failed)?;
    let found = version(&mut tx, schema).await.map_err(failed)?;
    if MIGRATIONS.check(options, found)? {
        migrate(&mut tx, schema, found).await.map_err(failed)?;
    }
    let there = tables(&mut tx, schema).await.map_err(failed)?;
    MIGRATIONS.check_tables(options, &prefix(schema), &there)?;
    tx.commit().await.map_err(failed)
}

async fn check_server(
    connection: &mut PgConnection,
    options: &CommonOptions,
    failed: impl Fn(sqlx::Error) -> crate::storage::StorageError,
) -> StorageResult<()> {
    let row = sqlx::query("SELECT current_setting('server_version_num')::int4, current_setting('server_version')")
        .persistent(false)
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    let (number, name): (i32, String) = (row.get(0), row.get(1));
    if number >= EARLIEST {
        return Ok(());
    }
    Err(options
        .open_error(format!("the server is PostgreSQL {name}; version {} or later is needed", EARLIEST / 10_000)))
}

/// The version of the tables, 0 if there are none.
async fn version(connection: &mut PgConnection, schema: &str) -> sqlx::Result<i64> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .persistent(false)
        .bind(format!("{schema}.schema"))
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(0);
    }
    let select = format!("SELECT COALESCE(max(version), 0) FROM {schema}.schema");
    sqlx::query_scalar(AssertSqlSafe(select)).persistent(false).fetch_one(connection).await
}

async fn migrate(connection: &mut PgConnection, schema: &str, found: i64) -> sqlx::Result<()> {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .persistent(false)
        .bind(schema)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        // To make one `IF NOT EXISTS` needs the right to make it also where it exists.
        let create = format!("CREATE SCHEMA {schema}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *connection).await?;
    }
    for migration in MIGRATIONS.after(found, &Templates::new(prefix(schema), &DIALECT)) {
        sqlx::raw_sql(AssertSqlSafe(migration.sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The names of the tables that are there, with the schema.
async fn tables(connection: &mut PgConnection, schema: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = $1")
        .persistent(false)
        .bind(schema)
        .fetch_all(connection)
        .await
}
