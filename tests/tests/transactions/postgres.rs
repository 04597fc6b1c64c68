use jobs_runtime::clock::Clock;
use jobs_tests::Postgres;
pub(crate) use jobs_tests::work::EffectPostgres as Effect;
use sqlx::PgPool;

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

cases!();

#[path = "held.rs"]
mod held;
