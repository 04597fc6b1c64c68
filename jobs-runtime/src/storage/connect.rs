use std::sync::Arc;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use super::Migration;
use super::{Storage, StorageError, StorageResult, memory::MemoryOptions};

/// Opens the storage that `url` names, and creates its tables if they aren't there.
///
/// | URL | storage |
/// |---|---|
/// | `memory:` | this process's memory, empty at the start |
/// | `sqlite://jobs.db`, `sqlite:///var/lib/app/jobs.db` | a file, made if it isn't there |
/// | `mysql://user:password@host/database` | tables of a MySQL or MariaDB database; with the feature `mysql` |
/// | `postgres://user:password@host/database` | a schema of a PostgreSQL database; with the feature `postgres` |
///
/// The URL of a database takes options as a query: `sqlite://jobs.db?table_prefix=mail_&synchronous=normal`. They are listed
/// at `from_url` of its options struct, such as [`SqliteOptions`](super::sqlite::SqliteOptions::from_url), which can also
/// set what a URL can't.
///
/// # Errors
///
/// [`StorageError::InvalidUrl`] for an unknown scheme or option, [`StorageError::Open`] if the storage can't be
/// opened, [`StorageError::SchemaTooNew`] if a later version made its tables.
///
/// ```
/// # tokio_test(async {
/// let storage = jobs_runtime::storage::connect("memory:").await?;
/// assert_eq!(storage.describe(), "memory:");
/// # Ok::<(), jobs_runtime::storage::StorageError>(())
/// # });
/// # fn tokio_test<T>(test: impl Future<Output = Result<T, jobs_runtime::storage::StorageError>>) {
/// #     tokio::runtime::Runtime::new().unwrap().block_on(test).unwrap();
/// # }
/// ```
pub async fn connect(url: &str) -> StorageResult<Arc<dyn Storage>> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "memory" if rest.is_empty() => Ok(MemoryOptions::new().open()),
        "memory" => Err(invalid(url, "`memory:` takes nothing after its colon")),
        #[cfg(feature = "sqlite")]
        "sqlite" => super::sqlite::SqliteOptions::from_url(url)?.open().await,
        #[cfg(not(feature = "sqlite"))]
        "sqlite" => Err(invalid(url, "this program was built without the feature `sqlite` of jobs-runtime")),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => super::postgres::PostgresOptions::from_url(url)?.open().await,
        #[cfg(not(feature = "postgres"))]
        "postgres" | "postgresql" => {
            Err(invalid(url, "this program was built without the feature `postgres` of jobs-runtime"))
        }
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => super::mysql::MySqlOptions::from_url(url)?.open().await,
        #[cfg(not(feature = "mysql"))]
        "mysql" | "mariadb" => Err(invalid(url, "this program was built without the feature `mysql` of jobs-runtime")),
        _ => Err(invalid(
            url,
            "known are `memory:`, `sqlite://FILE`, `postgres://USER:PASSWORD@HOST/DATABASE` and \
             `mysql://USER:PASSWORD@HOST/DATABASE`",
        )),
    }
}

/// Makes the tables of the storage that `url` names, or brings them up to date: for a step of a deployment that has the
/// rights to do so, where programs open the storage with `prepare_schema=false`.
///
/// # Errors
///
/// As [`connect`], and [`StorageError::InvalidUrl`] for a storage that has no tables.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub async fn migrate(url: &str) -> StorageResult<()> {
    match url.split_once(':').map_or(url, |(scheme, _)| scheme) {
        #[cfg(feature = "sqlite")]
        "sqlite" => super::sqlite::SqliteOptions::from_url(url)?.migrate().await,
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => super::postgres::PostgresOptions::from_url(url)?.migrate().await,
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => super::mysql::MySqlOptions::from_url(url)?.migrate().await,
        _ => Err(invalid(url, "it names no storage that has tables")),
    }
}

/// All steps that make the tables of the storage that `url` names, with their statements, for those who run them by hand.
/// It connects to nothing.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// for migration in jobs_runtime::storage::migrations("sqlite://jobs.db?table_prefix=mail_")? {
///     println!("-- version {}: {}\n{}", migration.version, migration.name, migration.sql);
/// #   assert!(migration.sql.contains("INSERT INTO mail_schema"));
/// }
/// # }
/// # Ok::<(), jobs_runtime::storage::StorageError>(())
/// ```
///
/// # Errors
///
/// [`StorageError::InvalidUrl`] if it is no URL of a storage that has tables.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub fn migrations(url: &str) -> StorageResult<Vec<Migration>> {
    match url.split_once(':').map_or(url, |(scheme, _)| scheme) {
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(super::sqlite::SqliteOptions::from_url(url)?.migrations()),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(super::postgres::PostgresOptions::from_url(url)?.migrations()),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => Ok(super::mysql::MySqlOptions::from_url(url)?.migrations()),
        _ => Err(invalid(url, "it names no storage that has tables")),
    }
}

pub(super) fn invalid(url: &str, reason: impl Into<String>) -> StorageError {
    StorageError::InvalidUrl { url: without_password(url), reason: reason.into() }
}

/// A URL as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
        Some((_, password)) => format!("{scheme}://{}", rest.replacen(&format!(":{password}@"), ":***@", 1)),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{connect, without_password};

    #[tokio::test]
    async fn an_unknown_scheme_is_refused_with_the_known_ones() {
        for url in ["", "jobs.db", "mysqlite://x", "redis:", "memory:x"] {
            let error = connect(url).await.expect_err(url).to_string();
            assert!(error.contains(&format!("`{url}`")) && error.contains("memory:"), "{error}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_password("x://ada:se:c@ret@host/db"), "x://ada:***@host/db");
        assert_eq!(without_password("x://host/db"), "x://host/db");
    }
}
