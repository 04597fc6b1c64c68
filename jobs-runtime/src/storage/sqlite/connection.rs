use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::SqliteOptions;
use crate::storage::{StorageError, StorageResult};

/// SQLite's primary result codes that say what to do about them.
pub(super) const BUSY: i32 = 5;
pub(super) const TOO_BIG: i32 = 18;
const CANT_OPEN: i32 = 14;
const READ_ONLY: i32 = 8;
const NOT_A_DATABASE: i32 = 26;
const CORRUPT: i32 = 11;

/// Opens the first connection, which makes the file if it isn't there.
pub(super) async fn create(options: &SqliteOptions) -> StorageResult<SqliteConnection> {
    connect(options, &options.connect_options().create_if_missing(true)).await
}

/// Opens a further connection. It makes no file: what someone has deleted would come back empty.
pub(super) async fn open(options: &SqliteOptions) -> StorageResult<SqliteConnection> {
    connect(options, &options.connect_options()).await
}

/// Two processes that switch a new file to WAL at once get `SQLITE_BUSY` without a wait, so that is repeated.
async fn connect(options: &SqliteOptions, settings: &SqliteConnectOptions) -> StorageResult<SqliteConnection> {
    const TRIES: u32 = 100;
    for _ in 1..TRIES {
        match settings.connect().await {
            Err(error) if code(&error) == Some(BUSY) => tokio::time::sleep(Duration::from_millis(20)).await,
            opened => return opened.map_err(|error| explain(options, error)),
        }
    }
    settings.connect().await.map_err(|error| explain(options, error))
}

/// So many connections that only read; each is opened when it is first needed.
pub(super) fn readers(options: &SqliteOptions, count: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(count)
        .test_before_acquire(false)
        .connect_lazy_with(options.connect_options().pragma("query_only", "on"))
}

/// The primary SQLite result code of an error.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// What to tell about a file that can't be opened.
pub(super) fn explain(options: &SqliteOptions, error: sqlx::Error) -> StorageError {
    let file = options.file.display();
    let reason = match code(&error) {
        Some(CANT_OPEN) => match options.file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(folder) if !Path::exists(folder) => format!("the folder `{}` does not exist", folder.display()),
            _ => format!("the file `{file}` can't be opened or made; is it a file, and may this user write there?"),
        },
        Some(READ_ONLY) => format!("the file `{file}` or its folder is not writable for this user"),
        Some(NOT_A_DATABASE | CORRUPT) => format!("the file `{file}` is not a SQLite database, or a damaged one"),
        _ => error.to_string(),
    };
    StorageError::Open { storage: options.url(), reason, source: Some(Box::new(error)) }
}
