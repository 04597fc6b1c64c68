//! SQLite lets one transaction write at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use jobs_runtime::{prelude::*, storage::StorageError};

use super::site::{run, write};

#[job]
async fn plain(n: i64) -> i64 {
    n
}

/// In WAL mode such a transaction can't begin to write any more.
#[test]
fn a_transaction_that_has_read_too_early_is_told_what_to_do() {
    run(async |site| {
        let mut tx = site.pool.begin().await.expect("begun");
        let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM effects").fetch_one(&mut *tx).await.expect("read");
        Plain::enqueue(1).await.expect("stored by another connection");
        let error = Plain::enqueue(2).in_tx(&mut tx).await.expect_err("refused");
        assert!(matches!(error, EnqueueError::Storage(StorageError::Failed { .. })), "{error}");
        assert!(error.to_string().contains("begin_with(\"BEGIN IMMEDIATE\")"), "{error}");
        tx.rollback().await.expect("rolled back");
        // One that has not read before may be deferred.
        let mut tx = site.pool.begin().await.expect("begun");
        let job = Plain::enqueue(3).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");
        assert!(site.is_there(&job).await);
    });
}

/// Handlers that write one after the other, without a gap, would else keep the heartbeat from the file.
#[test]
fn the_writer_has_its_turn_after_that_of_one_handler() {
    run(async |site| {
        let (turns, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let handlers: Vec<_> = (0..8)
            .map(|_| {
                let (storage, turns, stop) = (site.world.storage.clone(), Arc::clone(&turns), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let transaction = storage.begin_transaction().await.expect("begun");
                        turns.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        drop(transaction);
                    }
                })
            })
            .collect();
        while turns.load(Ordering::Relaxed) < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for n in 0..20 {
            let before = turns.load(Ordering::Relaxed);
            Plain::enqueue(n).await.expect("stored");
            let between = turns.load(Ordering::Relaxed) - before;
            // The one that had it, one that may have asked before, and one that the test did not see in time.
            assert!(between <= 3, "{between} handlers had their turn first");
        }
        stop.store(true, Ordering::Relaxed);
        for handler in handlers {
            handler.await.expect("ended");
        }
    });
}

/// The writer fails when its patience is at an end, says why, and goes on when the file is free.
#[test]
fn a_transaction_that_is_not_ended_is_told_to_who_waits() {
    run(async |site| {
        let url = format!("{}?busy_timeout=50ms", site.url);
        let storage = jobs_runtime::storage::connect(&url).await.expect("opened");
        let client = Client::new(storage.clone());
        let transaction = storage.begin_transaction().await.expect("begun");
        let error = Plain::enqueue(1).with(&client).await.expect_err("nobody else can write").to_string();
        assert!(error.contains("`JobTx`") && error.contains("busy_timeout"), "{error}");
        drop(transaction);
        Plain::enqueue(2).with(&client).await.expect("stored");
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        let error = storage.begin_transaction().await.expect_err("the application writes").to_string();
        assert!(error.contains("locked"), "{error}");
        tx.commit().await.expect("committed");
        drop(storage.begin_transaction().await.expect("begun"));
        storage.close().await;
    });
}
