use jobs_runtime::{
    clock::Clock,
    storage::{
        conformance::{Backend, Handles},
        postgres::PostgresOptions,
    },
};

use crate::{Postgres, Schema};

/// Jobs in PostgreSQL, reached through the pooler in transaction mode that `JOBS_TEST_PGBOUNCER_URL` names. Who listens
/// goes past it.
pub struct PgBouncer;

impl PgBouncer {
    /// The URL of the pooler, before the database of [`Postgres::url`].
    ///
    /// # Panics
    ///
    /// If it is not set: a missing pooler is a failure, and not a reason to skip.
    pub fn url() -> String {
        std::env::var("JOBS_TEST_PGBOUNCER_URL").expect(
            "JOBS_TEST_PGBOUNCER_URL is not set: run the tests with `cargo xtask test`, which starts one, or set it",
        )
    }

    /// A schema that nobody else uses, and that is dropped with the second value.
    pub fn options() -> (PostgresOptions, Schema) {
        let (_, schema) = Postgres::options();
        let options = PostgresOptions::from_url(&Self::url()).expect("a URL").max_connections(4);
        (options.schema(schema.0.clone()).pooler(true), schema)
    }
}

impl Backend for PgBouncer {
    async fn open(&self, clock: Clock) -> Handles {
        let (options, schema) = Self::options();
        let options = options.clock(clock).listen_url(&Postgres::url()).expect("a URL");
        let storage = options.clone().open().await.expect("a new schema");
        let other = options.open().await.expect("the same schema");
        Handles { storage, other, keep: Box::new(schema) }
    }
}
