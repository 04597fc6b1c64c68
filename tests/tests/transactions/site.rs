//! What the cases work with.

use std::time::Duration;

use jobs_runtime::{JobServer, client::JobHandle, prelude::*, server::JobServerBuilder, state::StateName, testing::TestClock};
use jobs_tests::World;
use sqlx::{AssertSqlSafe, Database, Pool, Transaction};

use super::{BEGIN, Db, open};
use crate::Gate;

/// A storage with a client, and the application's own table beside it.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) pool: Pool<Db>,
    pub(crate) url: String,
    pub(crate) table: Data<Table>,
    /// What the names of the storage's tables begin with.
    pub(crate) prefix: String,
    pub(crate) gate: Data<Gate>,
}

/// The name of the application's table, which has one column: `n`.
pub(crate) struct Table(pub(crate) String);

/// Runs a case on a fresh database, with its client as the current one.
pub(crate) fn run(case: impl AsyncFnOnce(&Site)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let case = async {
        let clock = TestClock::new();
        let opened = open(clock.clock()).await;
        let client = Client::new(opened.storage.clone());
        let world = World { storage: opened.storage, other: opened.other, client: client.clone(), clock };
        let (table, gate) = (Data::new(Table(opened.table)), Gate::new());
        let site = Site { world, pool: opened.pool, url: opened.url, table, prefix: opened.prefix, gate };
        site.execute(format!("CREATE TABLE {} (n BIGINT NOT NULL)", site.table.0)).await;
        client.scope(case(&site)).await;
        site.pool.close().await;
        site.world.other.close().await;
        site.world.storage.close().await;
        drop(opened.keep);
    };
    // A case that hangs is a case that fails; without waiting for what it left behind.
    let ended = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), case).await });
    runtime.shutdown_background();
    ended.expect("the case ends in time");
}

impl Site {
    /// A server that has no handlers but those that the test registers, and that is woken or doesn't look.
    pub(crate) fn server(&self) -> JobServerBuilder {
        self.prepare(self.world.server())
    }

    /// The same in another process.
    pub(crate) fn other_server(&self) -> JobServerBuilder {
        self.prepare(JobServer::builder(self.world.other.clone()).discover(false).workers(4))
    }

    pub(crate) fn prepare(&self, server: JobServerBuilder) -> JobServerBuilder {
        let server = server.queue_poll_interval(Duration::from_secs(3600));
        server.shared_data(self.table.clone()).shared_data(self.gate.clone())
    }

    /// A transaction of the application's.
    pub(crate) async fn begin(&self) -> Transaction<'static, Db> {
        self.pool.begin_with(BEGIN).await.expect("begun")
    }

    /// What was written into the application's table.
    pub(crate) async fn effects(&self) -> Vec<i64> {
        let select = format!("SELECT n FROM {} ORDER BY n", self.table.0);
        sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&self.pool).await.expect("read")
    }

    pub(crate) async fn execute(&self, statement: String) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.pool).await.expect("executed");
    }

    /// Waits until so many jobs have succeeded, and none is left.
    pub(crate) async fn until_succeeded(&self, jobs: u64) {
        for _ in 0..2_000 {
            let counts = self.world.storage.counts().await.expect("counted");
            if counts.unfinished() == 0 && counts.of(StateName::Succeeded).value == jobs {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{:?}", self.world.storage.counts().await);
    }

    /// Whether another process sees the job.
    pub(crate) async fn is_there<T>(&self, job: &JobHandle<T>) -> bool {
        self.world.other.job(job.id()).await.expect("read").is_some()
    }
}

/// Writes into the application's table.
pub(crate) async fn write(connection: &mut <Db as Database>::Connection, table: &Table, n: i64) -> sqlx::Result<()> {
    let insert = format!("INSERT INTO {} (n) VALUES ({n})", table.0);
    sqlx::query(AssertSqlSafe(insert)).execute(connection).await.map(drop)
}
