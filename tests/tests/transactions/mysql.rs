use jobs_runtime::clock::Clock;
use jobs_tests::MySql;
pub(crate) use jobs_tests::work::EffectMySql as Effect;
use sqlx::MySqlPool;

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

cases!();

#[path = "held.rs"]
mod held;
