//! The jobs of the worker process.

use std::time::Duration;

use jobs_runtime::prelude::*;

/// Takes so many milliseconds.
#[job]
pub async fn nap(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Takes some milliseconds, and returns its argument.
#[job]
pub async fn work(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(n % 7)).await;
    n
}

/// Fails the first time, and returns its argument when it is retried.
#[job(retry(attempts = 3, fixed = "300ms"))]
pub async fn stumble(cx: JobContext, n: u64) -> Result<u64, String> {
    if cx.attempt() == 1 { Err("the first time".to_owned()) } else { Ok(n) }
}

/// Enqueues a `Work` that is due after so many milliseconds, and returns its id.
#[job]
pub async fn put_off(n: u64, millis: u64) -> Result<JobId, EnqueueError> {
    Ok(Work::enqueue(n).delay(Duration::from_millis(millis)).await?.id())
}

/// Makes the same job for each database: it writes a row into a table, and stores another job, in its transaction.
macro_rules! effects {
    ($($job:ident: $database:ident,)*) => {$(
        #[doc = concat!("Writes `n` into `table`, in a transaction of ", stringify!($database), ".")]
        #[job]
        pub async fn $job(mut tx: JobTx<sqlx::$database>, table: String, n: u64) -> anyhow::Result<()> {
            let tx = tx.begin().await?;
            let insert = format!("INSERT INTO {table} (n) VALUES ({n})");
            sqlx::query(sqlx::AssertSqlSafe(insert)).execute(&mut **tx).await?;
            tokio::time::sleep(Duration::from_millis(n % 7)).await;
            Work::enqueue(n).in_tx(tx).await?;
            Ok(())
        }
    )*};
}

effects! {
    effect_sqlite: Sqlite,
    effect_postgres: Postgres,
    effect_my_sql: MySql,
}
