//! PostgreSQL refuses everything in a transaction of which one statement has failed.

use jobs_runtime::prelude::*;

use super::site::{run, write};

#[job]
async fn plain(n: i64) -> i64 {
    n
}

/// To the driver it has ended when no savepoint can begin, and what comes next would be committed by itself.
#[test]
fn a_transaction_that_can_only_be_rolled_back_stays_one() {
    run(async |site| {
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        sqlx::raw_sql("SELECT 1 / 0").execute(&mut *tx).await.expect_err("refused");
        let error = Plain::enqueue(1).in_tx(&mut tx).await.expect_err("refused").to_string();
        assert!(error.contains("aborted"), "{error}");
        let error = write(&mut tx, &site.table, 2).await.expect_err("refused").to_string();
        assert!(error.contains("aborted"), "{error}");
        tx.rollback().await.expect("rolled back");
        assert!(site.effects().await.is_empty());
        let mut tx = site.begin().await;
        let mut part = sqlx::Connection::begin(&mut *tx).await.expect("begun");
        sqlx::raw_sql("SELECT 1 / 0").execute(&mut *part).await.expect_err("refused");
        Plain::enqueue(1).in_tx(&mut part).await.expect_err("refused");
        part.rollback().await.expect("rolled back");
        let job = Plain::enqueue(3).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");
        assert!(site.is_there(&job).await);
    });
}
