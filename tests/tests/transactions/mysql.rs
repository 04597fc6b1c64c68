use std::sync::Arc;

use jobs_runtime::{
    clock::Clock,
    storage::{Storage, mysql::MySqlOptions},
    testing::TestClock,
};
use jobs_tests::MySql;
pub(crate) use jobs_tests::work::EffectMySql as Effect;
use sqlx::{AssertSqlSafe, MySqlConnection, MySqlPool};

use super::Opened;

pub(crate) type Db = sqlx::MySql;

/// How the application begins a transaction: REPEATABLE READ, as it is by default.
pub(crate) const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION";

pub(crate) async fn open(clock: Clock) -> Opened<Db> {
    let (options, database) = MySql::options().await;
    let options = options.clock(clock);
    Opened {
        storage: options.clone().open().await.expect("a new database"),
        other: options.open().await.expect("the same database"),
        pool: MySqlPool::connect(&database.url()).await.expect("connected"),
        url: database.url(),
        table: "effects".to_owned(),
        prefix: "jobs_".to_owned(),
        keep: Box::new(database),
    }
}

/// The storage behind another URL of the same database.
pub(crate) async fn own_schema(url: &str, clock: &TestClock) -> Arc<dyn Storage> {
    let url = format!("{url}?ssl-mode=DISABLED");
    MySqlOptions::from_url(&url).expect("a URL").clock(clock.clock()).open().await.expect("opened")
}

pub(crate) async fn number_of_connection(connection: &mut MySqlConnection) -> u64 {
    sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(connection).await.expect("told")
}

pub(crate) async fn end_connection(pool: &MySqlPool, number: u64) {
    sqlx::raw_sql(AssertSqlSafe(format!("KILL {number}"))).execute(pool).await.expect("ended");
}

cases!();

#[path = "held.rs"]
mod held;
#[path = "lost.rs"]
mod lost;
#[path = "repeatable_read.rs"]
mod repeatable_read;
