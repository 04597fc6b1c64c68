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

/// A URL as it may be shown. What may be a password is not, also where it makes the URL one that can't be read.
pub(super) fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |colon| colon + 3));
    // A file has no user, and its name may have anything.
    let userinfo = if scheme == "sqlite://" { None } else { userinfo_end(rest) };
    match userinfo.and_then(|end| Some((rest[..end].find(':')?, end))) {
        Some((colon, end)) => format!("{scheme}{}:***{}", &rest[..colon], without_secret_parameters(&rest[end..])),
        None => without_secret_parameters(url),
    }
}

/// Where the `@` behind user and password is. Both may have been written raw, with a `/`, `?` or `@` in them.
fn userinfo_end(rest: &str) -> Option<usize> {
    let last = rest.rfind('@')?;
    let in_query = |query: &usize| *query < last && rest[query + 1..last].contains('=') && is_place(&rest[..*query]);
    match rest.find('?').filter(in_query) {
        Some(query) => rest[..query].rfind('@'),
        None => Some(last),
    }
}

/// Whether what stands before a `?` is a place, with or without a user: behind a host there is nothing but its port.
fn is_place(before: &str) -> bool {
    let place = before.rsplit_once('@').map_or(before, |(_, place)| place);
    let hosts = place.split('/').next().unwrap_or_default();
    let is_host = |host: &str| match host.rsplit_once(':') {
        Some((_, port)) => host.ends_with(']') || port.chars().all(|c| c.is_ascii_digit()),
        None => true,
    };
    hosts.split(',').all(is_host)
}

/// The same without the values of parameters such as `password`; or whose names are written so that they can't be read.
fn without_secret_parameters(url: &str) -> String {
    let Some((base, query)) = url.split_once('?') else { return url.to_owned() };
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if key.contains('%') || key.to_ascii_lowercase().contains("pass") => format!("{key}=***"),
        _ => pair.to_owned(),
    });
    format!("{base}?{}", shown.collect::<Vec<_>>().join("&"))
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
        for (url, shown) in [
            ("x://host/db", "x://host/db"),
            ("x://ada@host:1/db", "x://ada@host:1/db"),
            ("x://ada:secret@host/db", "x://ada:***@host/db"),
            ("x://ada:secret@host:1/db?a=b", "x://ada:***@host:1/db?a=b"),
            ("x://:secret@host/db", "x://:***@host/db"),
            ("x://ada:se:c@ret@host/db", "x://ada:***@host/db"),
            ("x://ada:se/cret@host/db", "x://ada:***@host/db"),
            ("x://ada:se?cret@host/db", "x://ada:***@host/db"),
            ("x://ada:se?c=ret@host/db?a=b", "x://ada:***@host/db?a=b"),
            ("x://ada:se/c@re?t@host/db?a=b", "x://ada:***@host/db?a=b"),
            ("x://host/db?password=secret", "x://host/db?password=***"),
            ("x://host/db?a=b&PassWord=secret&c=d", "x://host/db?a=b&PassWord=***&c=d"),
            ("x://host/db?sslpassword=secret&user=ada@place", "x://host/db?sslpassword=***&user=ada@place"),
            ("x://host:1/db?user=ada@place&p%61ssword=secret", "x://host:1/db?user=ada@place&p%61ssword=***"),
            ("x://ada:secret@[::1]:1/db?user=ada@place", "x://ada:***@[::1]:1/db?user=ada@place"),
            ("x://[::1]:1,host:2/db?user=ada@place", "x://[::1]:1,host:2/db?user=ada@place"),
            ("ada:secret@host/db", "ada:***@host/db"),
            ("sqlite:///C:/a@b.db?password=secret", "sqlite:///C:/a@b.db?password=***"),
            ("memory:", "memory:"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
