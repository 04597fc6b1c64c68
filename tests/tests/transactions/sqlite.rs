use jobs_runtime::{clock::Clock, storage::sqlite::SqliteOptions};
pub(crate) use jobs_tests::work::EffectSqlite as Effect;
use sqlx::SqlitePool;

use super::Opened;

pub(crate) type Db = sqlx::Sqlite;

/// How the application begins a transaction.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";

pub(crate) async fn open(clock: Clock) -> Opened<Db> {
    let (folder, file) = jobs_tests::temporary_file();
    let options = SqliteOptions::new(&file).clock(clock);
    let url = format!("sqlite://{}", file.display());
    Opened {
        storage: options.clone().open().await.expect("a new file"),
        other: options.open().await.expect("the same file"),
        pool: SqlitePool::connect(&url).await.expect("connected"),
        url,
        table: "effects".to_owned(),
        prefix: "jobs_".to_owned(),
        keep: Box::new(folder),
    }
}

cases!();

#[path = "turns.rs"]
mod turns;
