//! The tables: one numbered list of migrations, applied when the storage is opened.

use std::sync::atomic::Ordering;

use sqlx::{AssertSqlSafe, MySqlConnection, Row as _};

use super::{LEAST_PACKET, MySql, session::DIALECT};
use crate::storage::{
    StorageResult,
    sql::{CommonOptions, Migration, Migrations, Templates, pooled::explain},
};

/// Each makes one version from the version before it.
pub(super) const MIGRATIONS: Migrations = Migrations {
    before: "CREATE TABLE IF NOT EXISTS {p}schema (version BIGINT NOT NULL) ENGINE = InnoDB;\n\n",
    steps: &[
        ("jobs", include_str!("migrations/0001_jobs.sql")),
        ("parameters", include_str!("migrations/0002_parameters.sql")),
        ("locks", include_str!("migrations/0003_locks.sql")),
    ],
};

/// All migrations, as they are to be run by hand.
pub(super) fn migrations(table_prefix: &str) -> Vec<Migration> {
    MIGRATIONS.after(0, &Templates::new(table_prefix, &DIALECT))
}

/// Brings the tables up to date, or checks that they are.
pub(super) async fn prepare(
    driver: &MySql,
    options: &CommonOptions,
    connection: &mut MySqlConnection,
) -> StorageResult<()> {
    check_server(driver, options, connection).await?;
    let failed = |error| explain(driver, options, error);
    // Two processes that start at once migrate one after the other.
    let lock = format!("jobs:{}", driver.table_prefix);
    let get = "SELECT CAST(COALESCE(GET_LOCK(?, 60), 0) AS SIGNED)";
    let got: i64 = sqlx::query_scalar(get).bind(&lock).fetch_one(&mut *connection).await.map_err(failed)?;
    if got != 1 {
        return Err(options.open_error("another process has been looking after its tables for a minute; try again"));
    }
    let prepared = prepare_locked(driver, options, connection).await;
    let released = sqlx::query("SELECT RELEASE_LOCK(?)").bind(&lock).execute(connection).await.map_err(failed);
    // What went wrong first is the reason, also for this.
    prepared?;
    released.map(drop)
}

async fn prepare_locked(
    driver: &MySql,
    options: &CommonOptions,
    connection: &mut MySqlConnection,
) -> StorageResult<()> {
    let failed = |error| explain(driver, options, error);
    let names = Names::new(&driver.table_prefix, ignores_case(connection).await.map_err(failed)?);
    let found = version(connection, &names).await.map_err(failed)?;
    if MIGRATIONS.check(options, found)? {
        migrate(connection, &driver.table_prefix, found).await.map_err(failed)?;
    }
    let there = tables(connection, &names).await.map_err(failed)?;
    MIGRATIONS.check_tables(options, &names.prefix, &there)
}

/// How the server names tables: with `lower_case_table_names` it may write them otherwise than they were given, and finds
/// them either way.
struct Names {
    prefix: String,
    ignores_case: bool,
}

impl Names {
    fn new(prefix: &str, ignores_case: bool) -> Self {
        let prefix = if ignores_case { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
        Self { prefix, ignores_case }
    }

    /// The name of a table as it is compared.
    fn compared(&self, name: String) -> String {
        if self.ignores_case { name.to_ascii_lowercase() } else { name }
    }
}

async fn ignores_case(connection: &mut MySqlConnection) -> sqlx::Result<bool> {
    let select = "SELECT CAST(@@lower_case_table_names AS SIGNED)";
    sqlx::query_scalar::<_, i64>(select).fetch_one(connection).await.map(|setting| setting != 0)
}

async fn check_server(driver: &MySql, options: &CommonOptions, connection: &mut MySqlConnection) -> StorageResult<()> {
    let select = "SELECT VERSION(), CAST(@@max_allowed_packet AS SIGNED)";
    let row = sqlx::query(select).fetch_one(connection).await.map_err(|error| explain(driver, options, error))?;
    let (version, packet): (String, i64) = (row.get(0), row.get(1));
    driver.packet.store(usize::try_from(packet).unwrap_or(LEAST_PACKET), Ordering::Relaxed);
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

/// The version of the tables, 0 if there are none.
async fn version(connection: &mut MySqlConnection, names: &Names) -> sqlx::Result<i64> {
    let prefix = &names.prefix;
    if !tables(connection, names).await?.contains(&format!("{prefix}schema")) {
        return Ok(0);
    }
    let select = format!("SELECT COALESCE(MAX(version), 0) FROM {prefix}schema");
    sqlx::query_scalar(AssertSqlSafe(select)).fetch_one(connection).await
}

async fn migrate(connection: &mut MySqlConnection, prefix: &str, found: i64) -> sqlx::Result<()> {
    for migration in MIGRATIONS.after(found, &Templates::new(prefix, &DIALECT)) {
        sqlx::raw_sql(AssertSqlSafe(migration.sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The names of the tables that are there.
async fn tables(connection: &mut MySqlConnection, names: &Names) -> sqlx::Result<Vec<String>> {
    let select = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()";
    let there: Vec<String> = sqlx::query_scalar(select).fetch_all(connection).await?;
    Ok(there.into_iter().map(|name| names.compared(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Names, is_supported};

    #[test]
    fn a_prefix_with_capitals_is_found_as_the_server_writes_it() {
        for (ignores_case, written) in [(true, "shop_jobs_job"), (true, "Shop_Jobs_job"), (false, "Shop_Jobs_job")] {
            let names = Names::new("Shop_Jobs_", ignores_case);
            assert_eq!(names.compared(written.to_owned()), format!("{}job", names.prefix));
        }
        assert_ne!(Names::new("Shop_", false).compared("shop_job".to_owned()), "Shop_job");
    }

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
