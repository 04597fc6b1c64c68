use std::sync::Arc;

use jobs_runtime::{
    clock::Clock,
    storage::{Storage, postgres::PostgresOptions},
    testing::TestClock,
};
use jobs_tests::Postgres;
pub(crate) use jobs_tests::work::EffectPostgres as Effect;
use sqlx::{PgConnection, PgPool};

use super::Opened;

pub(crate) type Db = sqlx::Postgres;

/// How the application begins a transaction.
pub(crate) const BEGIN: &str = "BEGIN";

pub(crate) async fn open(clock: Clock) -> Opened<Db> {
    let (options, schema) = Postgres::options();
    let options = options.clock(clock);
    let separator = if Postgres::url().contains('?') { '&' } else { '?' };
    Opened {
        storage: options.clone().open().await.expect("a new schema"),
        other: options.open().await.expect("the same schema"),
        pool: PgPool::connect(&Postgres::url()).await.expect("connected"),
        url: format!("{}{separator}schema={}", Postgres::url(), schema.0),
        table: format!("{}.effects", schema.0),
        prefix: format!("{}.", schema.0),
        keep: Box::new(schema),
    }
}

/// The storage behind another URL of the same schema.
pub(crate) async fn own_schema(url: &str, clock: &TestClock) -> Arc<dyn Storage> {
    let url = format!("{url}&sslmode=disable");
    PostgresOptions::from_url(&url).expect("a URL").clock(clock.clock()).open().await.expect("opened")
}

pub(crate) async fn number_of_connection(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await.expect("told")
}

pub(crate) async fn end_connection(pool: &PgPool, number: i32) {
    let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(number);
    end.execute(pool).await.expect("ended");
}

cases!();

#[path = "aborted.rs"]
mod aborted;
#[path = "held.rs"]
mod held;
#[path = "lost.rs"]
mod lost;
#[path = "unheard.rs"]
mod unheard;
