use jobs_runtime::{
    clock::Clock,
    storage::{
        conformance::{Backend, Handles},
        mysql::MySqlOptions,
    },
};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

/// Jobs in a database of their own, on the server that `JOBS_TEST_MYSQL_URL` names.
pub struct MySql;

impl MySql {
    /// The URL of the server for tests; its user may make databases.
    ///
    /// # Panics
    ///
    /// If it is not set: a missing database is a failure, and not a reason to skip.
    pub fn url() -> String {
        std::env::var("JOBS_TEST_MYSQL_URL").expect(
            "JOBS_TEST_MYSQL_URL is not set: run the tests with `cargo xtask test`, which sets the database up, or set it",
        )
    }

    /// A database that nobody else uses, and that is dropped with the second value.
    pub async fn options() -> (MySqlOptions, Database) {
        let database = Database(format!("jobs_test_{}", crate::unique()));
        run(format!("CREATE DATABASE {}", database.0)).await;
        (MySqlOptions::from_url(&database.url()).expect("a URL").max_connections(4), database)
    }
}

impl Backend for MySql {
    async fn open(&self, clock: Clock) -> Handles {
        let (options, database) = Self::options().await;
        let options = options.clock(clock);
        let storage = options.clone().open().await.expect("a new database");
        let other = options.open().await.expect("the same database");
        Handles { storage, other, keep: Box::new(database) }
    }
}

/// A database of a test.
pub struct Database(pub String);

impl Database {
    /// Its URL.
    pub fn url(&self) -> String {
        let url = MySql::url();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        format!("{scheme}://{authority}/{}", self.0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {}", self.0);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(drop));
        });
        // What could not be dropped is in the way of nobody.
        let _ = dropped.join();
    }
}

async fn run(statement: String) {
    let mut connection = MySqlConnection::connect(&MySql::url()).await.expect("connected");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("done");
}
