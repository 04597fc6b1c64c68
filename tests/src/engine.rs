use std::{any::Any, sync::Arc, time::Duration};

use jobs_runtime::storage::{Storage, StorageResult, connect, mysql::MySqlOptions, postgres::PostgresOptions};
use sqlx::{mysql::MySqlPoolOptions, postgres::PgPoolOptions};

use crate::{MySql, Postgres, PrivateServer, Sql, Url};

/// A kind of database server. What is tested of both is written once, see [`on_each_engine!`](crate::on_each_engine).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// MySQL or MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
}

impl Engine {
    /// A place of the test's own on the server that all tests share.
    pub async fn place(self) -> Place {
        match self {
            Self::MySql => {
                let (_, database) = MySql::options().await;
                let url = Url::new(&database.url());
                Place { engine: self, name: database.0.clone(), database: url.clone(), url, _keep: Box::new(database) }
            }
            Self::Postgres => {
                let (_, schema) = Postgres::options();
                let (database, name) = (Url::new(&Postgres::url()), schema.0.clone());
                // By it, the connections to this place are told from all others.
                let url = database.clone().with("schema", &name).with("application_name", &name);
                Place { engine: self, name, database, url, _keep: Box::new(schema) }
            }
        }
    }

    /// The storage of a URL, whose verbs may take so long.
    ///
    /// # Errors
    ///
    /// If it can't be opened.
    pub async fn open(self, url: &Url, limit: Duration) -> StorageResult<Arc<dyn Storage>> {
        let url = url.to_string();
        match self {
            Self::MySql => MySqlOptions::from_url(&url)?.transaction_timeout(limit).open().await,
            Self::Postgres => PostgresOptions::from_url(&url)?.transaction_timeout(limit).open().await,
        }
    }
}

/// Runs a test in a place of its own, on the server that all tests share.
pub fn in_a_place<F: AsyncFnOnce(Place)>(engine: Engine, test: F) {
    in_time(async { test(engine.place().await).await });
}

/// Runs a test on a server of its own.
pub fn on_a_private_server<F: AsyncFnOnce(PrivateServer)>(engine: Engine, test: F) {
    in_time(async { test(PrivateServer::create(engine).await).await });
}

/// A test that hangs is a test that fails; without waiting for what it left behind.
fn in_time(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(LONGEST_TEST, test).await });
    runtime.shutdown_background();
    ended.expect("the test ends in time");
}

/// Some ten times as long as any test takes.
const LONGEST_TEST: Duration = Duration::from_secs(120);

/// A schema or a database that no other test uses. It is dropped with the value.
pub struct Place {
    /// Where it is.
    pub engine: Engine,
    /// The name of the schema or database.
    pub name: String,
    /// The URL of the storage.
    pub url: Url,
    /// The same without what is the storage's own in it.
    pub database: Url,
    pub(crate) _keep: Box<dyn Any + Send>,
}

impl Place {
    /// Opens the storage.
    pub async fn open(&self) -> Arc<dyn Storage> {
        connect(&self.url.to_string()).await.expect("opened")
    }

    /// Opens the storage on a pool of the application's own, with so many connections.
    pub async fn open_from_pool(&self, connections: u32) -> Arc<dyn Storage> {
        let url = self.database.to_string();
        let opened = match self.engine {
            Engine::MySql => {
                let pool = MySqlPoolOptions::new().max_connections(connections).connect(&url).await;
                MySqlOptions::from_pool(pool.expect("connected")).open().await
            }
            Engine::Postgres => {
                let pool = PgPoolOptions::new().max_connections(connections).connect(&url).await;
                PostgresOptions::from_pool(pool.expect("connected")).schema(&self.name).open().await
            }
        };
        opened.expect("opened")
    }

    /// A connection of the test's own.
    pub async fn sql(&self) -> Sql {
        Sql::connect(self.engine, &self.database).await
    }

    /// A connection of the test's own that looks like one of the storage.
    pub async fn theirs(&self) -> Sql {
        match self.engine {
            Engine::MySql => self.sql().await,
            Engine::Postgres => {
                Sql::connect(self.engine, &self.database.clone().with("application_name", &self.name)).await
            }
        }
    }

    /// A table of the storage, as statements name it.
    pub fn table(&self, name: &str) -> String {
        match self.engine {
            Engine::MySql => format!("{}.jobs_{name}", self.name),
            Engine::Postgres => format!("{}.{name}", self.name),
        }
    }

    /// A condition that holds for the connections to this place: of `pg_stat_activity`, or of `processlist`.
    pub fn is_connected(&self) -> String {
        match self.engine {
            Engine::MySql => format!("db = '{}'", self.name),
            Engine::Postgres => format!("application_name = '{}'", self.name),
        }
    }

    /// Ends all connections to this place, as an administrator or a fail-over would; returns how many there were.
    pub async fn end_connections(&self) -> usize {
        let mut sql = self.sql().await;
        let theirs = self.is_connected();
        match self.engine {
            Engine::Postgres => {
                let end = format!("SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE {theirs}");
                sql.texts(&end).await.len()
            }
            Engine::MySql => {
                let list = "SELECT CAST(id AS CHAR) FROM information_schema.processlist";
                let ids = sql.texts(&format!("{list} WHERE {theirs} AND id <> CONNECTION_ID()")).await;
                for id in &ids {
                    // It may have ended by itself.
                    let _ = sql.try_run(&format!("KILL {id}")).await;
                }
                ids.len()
            }
        }
    }
}
