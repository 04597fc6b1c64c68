//! What PostgreSQL says, and what that means.

use sqlx::{PgConnection, Row as _};

/// What the database's clock shows, in microseconds since 1970; asked in one message, which is never parted by a pooler,
/// and soonest answered.
pub(super) async fn time(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let time = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
    sqlx::raw_sql(time).fetch_one(connection).await?.try_get(0)
}

/// Whether a transaction ended because of others: a failure to serialize, or a deadlock.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(code(error).as_str(), "40001" | "40P01")
}

/// Whether the server says that it ends the connection: it shuts down, or someone has asked it to.
pub(super) fn has_ended(error: &sqlx::Error) -> bool {
    matches!(code(error).as_str(), "57P01" | "57P02" | "57P03" | "57P05")
}

/// Whether a transaction refuses everything because one of its statements has failed.
pub(super) fn is_aborted(error: &sqlx::Error) -> bool {
    code(error) == "25P02"
}

/// What to tell of an error that keeps the database from being opened.
pub(super) fn explain(schema: &str, error: &sqlx::Error) -> Option<String> {
    let reason = match code(error).as_str() {
        "28P01" | "28000" => {
            "user or password are refused; check them in the URL, and the server's pg_hba.conf".to_owned()
        }
        "3D000" => "there is no such database; make it with `createdb`, or name another one in the URL".to_owned(),
        "08P01" if error.to_string().contains("startup parameter") => POOLER.to_owned(),
        "42P05" | "26000" => POOLER.to_owned(),
        "42501" => {
            let refused = error.as_database_error().map(|error| error.message()).unwrap_or_default();
            format!(
                "{refused}: this user may not make the schema `{schema}` or tables in it; run `CREATE SCHEMA {schema} \
                 AUTHORIZATION …` as its owner, or migrate with another user, open with `prepare_schema=false`, and grant this \
                 one USAGE on the schema and the use of its tables and sequences"
            )
        }
        _ => return None,
    };
    Some(reason)
}

/// What the errors mean that poolers make of parameters and prepared statements.
const POOLER: &str = "a connection pooler seems to stand before the database; open it with `pooler=true`";

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned()
}
