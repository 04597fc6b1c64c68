//! The tables: one numbered list of migrations, applied when the storage is opened.

use sqlx::{AssertSqlSafe, MySqlConnection, Row as _};

use super::{MySqlOptions, connection::explain};
use crate::storage::{StorageError, StorageResult, sql::Templates};

/// Each makes one version from the version before it.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_jobs.sql")];

/// The version that this program writes.
fn supported() -> i64 {
    MIGRATIONS.len() as i64
}

/// Brings the tables up to date, or checks that they are.
pub(super) async fn prepare(
    connection: &mut MySqlConnection,
    options: &MySqlOptions,
    sql: &Templates,
) -> StorageResult<()> {
    check_server(connection, options).await?;
    let failed = |error| explain(options, error);
    // Two processes that start at once migrate one after the other.
    let lock = format!("jobs:{}", options.table_prefix);
    sqlx::query("SELECT GET_LOCK(?, 60)").bind(&lock).execute(&mut *connection).await.map_err(failed)?;
    let prepared = prepare_locked(connection, options, sql).await;
    sqlx::query("SELECT RELEASE_LOCK(?)").bind(&lock).execute(connection).await.map_err(failed)?;
    prepared
}

async fn prepare_locked(
    connection: &mut MySqlConnection,
    options: &MySqlOptions,
    sql: &Templates,
) -> StorageResult<()> {
    let failed = |error| explain(options, error);
    let found = version(connection, sql).await.map_err(failed)?;
    if found > supported() {
        return Err(StorageError::SchemaTooNew { storage: options.url(), found, supported: supported() });
    }
    if found < supported() && !options.migrate {
        return Err(not_migrated(options, found));
    }
    if found < supported() { migrate(connection, sql, found).await.map_err(failed) } else { Ok(()) }
}

async fn check_server(connection: &mut MySqlConnection, options: &MySqlOptions) -> StorageResult<()> {
    let row = sqlx::query("SELECT VERSION()").fetch_one(connection).await.map_err(|error| explain(options, error))?;
    let version: String = row.get(0);
    if is_supported(&version) {
        return Ok(());
    }
    Err(options.open_error(format!("the server is {version}; MySQL 8.0 or MariaDB 10.6 or later is needed")))
}

/// Whether a version such as `8.0.35` or `10.11.6-MariaDB-1` can lock rows and skip those that others have locked.
fn is_supported(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let version_number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version.contains("MariaDB") { version_number >= (10, 6) } else { version_number >= (8, 0) }
}

fn not_migrated(options: &MySqlOptions, found: i64) -> StorageError {
    options.open_error(format!(
        "its tables are of schema version {found}, version {} is needed, and migrating is switched off; open it once \
         with `migrate` on",
        supported()
    ))
}

/// The version of the tables, 0 if there are none.
async fn version(connection: &mut MySqlConnection, sql: &Templates) -> sqlx::Result<i64> {
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
    let name = sql.expand("{p}schema", "", 0);
    let there: i64 = sqlx::query_scalar(tables).bind(name).fetch_one(&mut *connection).await?;
    if there == 0 {
        return Ok(0);
    }
    sqlx::query_scalar(sql.get("SELECT COALESCE(MAX(version), 0) FROM {p}schema")).fetch_one(connection).await
}

async fn migrate(connection: &mut MySqlConnection, sql: &Templates, found: i64) -> sqlx::Result<()> {
    let create = sql.get("CREATE TABLE IF NOT EXISTS {p}schema (version BIGINT NOT NULL) ENGINE = InnoDB");
    sqlx::raw_sql(create).execute(&mut *connection).await?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let text = sql.expand(migration, "", 0);
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await?;
        let insert = sql.get("INSERT INTO {p}schema (version) VALUES (?)");
        sqlx::query(insert).bind(version).execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn servers_that_cannot_skip_locked_rows_are_refused() {
        for version in ["8.0.35", "8.4.2", "9.1.0", "10.6.0-MariaDB", "10.11.19-MariaDB-0+deb12u1", "11.4.2-MariaDB"] {
            assert!(is_supported(version), "{version}");
        }
        for version in ["5.7.44-log", "10.5.22-MariaDB", "5.5.5", "strange"] {
            assert!(!is_supported(version), "{version}");
        }
    }
}
