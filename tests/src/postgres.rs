use jobs_runtime::{
    clock::Clock,
    storage::{
        conformance::{Backend, Handles},
        postgres::PostgresOptions,
    },
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Jobs in a schema of their own, of the database that `JOBS_TEST_POSTGRES_URL` names.
pub struct Postgres;

impl Postgres {
    /// The URL of the database for tests.
    ///
    /// # Panics
    ///
    /// If it is not set: a missing database is a failure, and not a reason to skip.
    pub fn url() -> String {
        std::env::var("JOBS_TEST_POSTGRES_URL").expect(
            "JOBS_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`, which sets the database up, or set it",
        )
    }

    /// A schema that nobody else uses, and that is dropped with the second value.
    pub fn options() -> (PostgresOptions, Schema) {
        let schema = Schema(format!("test_{}", crate::unique()));
        let options = PostgresOptions::from_url(&Self::url()).expect("a URL").max_connections(4);
        (options.schema(schema.0.clone()), schema)
    }
}

impl Backend for Postgres {
    async fn open(&self, clock: Clock) -> Handles {
        let (options, schema) = Self::options();
        let options = options.clock(clock);
        let storage = options.clone().open().await.expect("a new schema");
        let other = options.open().await.expect("the same schema");
        Handles { storage, other, keep: Box::new(schema) }
    }
}

/// A schema of a test.
pub struct Schema(pub String);

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.0);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&Postgres::url()).await.expect("connected");
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await.expect("dropped");
            });
        });
        // What could not be dropped is in the way of nobody.
        let _ = dropped.join();
    }
}
