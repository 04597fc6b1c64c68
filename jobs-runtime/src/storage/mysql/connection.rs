//! What MySQL says, and what that means.

use sqlx::{MySqlConnection, mysql::MySqlDatabaseError};

use crate::storage::sql::pooled::is_of_data;

/// What the database's clock shows, in microseconds since 1970.
pub(super) async fn time(connection: &mut MySqlConnection) -> sqlx::Result<i64> {
    let time = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";
    sqlx::query_scalar(time).fetch_one(connection).await
}

/// Whether a transaction ended because of others: a deadlock, or a lock that it waited for too long.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1213 | 1205))
}

/// Whether what was to be stored is the reason: it is too large, or not what its column takes.
pub(super) fn refuses(error: &sqlx::Error) -> bool {
    is_of_data(error) || matches!(number(error), Some(1118 | 1153 | 1301 | 1366))
}

/// Whether the server says that it ends the connection: it shuts down, someone has killed it, or it was idle for too long.
pub(super) fn has_ended(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1053 | 1152 | 1927 | 3169 | 4031))
}

/// What to tell of an error that keeps the database from being opened.
pub(super) fn explain(error: &sqlx::Error) -> Option<String> {
    let reason = match number(error)? {
        1045 | 1698 => "user or password are refused; check them in the URL",
        1044 => "this user may not use the database; grant it the right to",
        1046 => "no database is chosen; name it in the URL, as in `mysql://USER:PASSWORD@HOST/DATABASE`",
        1049 => "there is no such database; make it with `CREATE DATABASE`, or name another one in the URL",
        1142 => return Some(format!("{}: {RIGHTS}", error.as_database_error()?.message())),
        _ => return None,
    };
    Some(reason.to_owned())
}

const RIGHTS: &str = "this user may not make tables; grant it the right to, or migrate with another user, open with \
                      `prepare_schema=false`, and grant this one SELECT, INSERT, UPDATE and DELETE";

fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}
