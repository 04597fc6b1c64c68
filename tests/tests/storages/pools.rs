//! Pools of connections: the storage's own, and the application's.

use std::time::Duration;

use jobs_runtime::{prelude::*, storage::StorageError};
use jobs_tests::{Place, on_each_engine, work::Work};
use tokio::task::JoinSet;

use super::verbs::{VERBS, ask};

on_each_engine! {
    // There are as many as the pool has connections.
    async fn handlers_do_not_keep_a_storage_waiting_that_uses_the_applications_pool(place: Place) {
        let storage = place.open_from_pool(2).await;
        let client = Client::new(storage.clone());
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(storage.begin_transaction().await.expect("begun"));
        }
        let stored = tokio::time::timeout(Duration::from_secs(10), client.enqueue(Work::new(1))).await;
        let job = stored.expect("a connection is free").expect("stored");
        assert!(client.job(job.id()).await.expect("read").is_some());
        drop(held);
        storage.close().await;
    }

    // The pool is still open.
    async fn a_storage_of_the_applications_pool_that_is_closed_refuses_everything(place: Place) {
        let storage = place.open_from_pool(2).await;
        let job = Client::new(storage.clone()).enqueue(Work::new(1)).await.expect("stored");
        storage.close().await;
        for verb in VERBS {
            let error = ask(verb, &storage, job.id()).await.expect_err(verb);
            assert!(matches!(error, StorageError::Closed { .. }), "{verb}: {error}");
        }
        let error = storage.begin_transaction().await.expect_err("refused");
        assert!(matches!(error, StorageError::Closed { .. }), "{error}");
    }

    // After a restart of the database each connection that was idle would fail once.
    async fn who_reads_does_not_notice_that_connections_have_ended(place: Place) {
        let storage = place.open().await;
        for round in 0..5 {
            let mut reading = JoinSet::new();
            for _ in 0..8 {
                let storage = storage.clone();
                reading.spawn(async move { storage.counts().await.map(drop) });
            }
            for read in reading.join_all().await {
                read.expect("read");
            }
            assert!(place.end_connections().await > 0);
            storage.counts().await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        storage.close().await;
    }
}
