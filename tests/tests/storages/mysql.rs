//! What is MySQL's own: its URLs, its lock while tables are prepared, and what is asked beside a transaction.

use std::time::Duration;

use jobs_runtime::{
    prelude::*,
    storage::{StorageError, connect},
};
use jobs_tests::{Engine, Place, Proxy, in_a_place, work::Work};
use sqlx::MySqlPool;

use super::opening::open_error;

const TEN_SECONDS: Duration = Duration::from_secs(10);

// Everyone waited for ever for the one connection.
#[test]
fn who_awaits_a_job_in_a_transaction_does_not_wait_for_a_connection_that_no_longer_answers() {
    in_a_place(Engine::MySql, async |place: Place| {
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = place.engine.open(&proxy.url(&place.url), TEN_SECONDS).await.expect("opened");
        let client = Client::new(storage.clone());
        let parent = client.enqueue(Work::new(1)).await.expect("stored");
        let pool = MySqlPool::connect(&place.database.to_string()).await.expect("connected");
        for round in 0..3 {
            if round > 0 {
                proxy.stall_the_connected();
            }
            let mut tx = pool.begin().await.expect("begun");
            client.enqueue(Work::new(2)).after(&parent).in_tx(&mut tx).await.expect("stored");
            tx.commit().await.expect("committed");
        }
    });
}

// What was told was that the connection had ended.
#[test]
fn why_tables_cannot_be_used_is_told_also_if_the_connection_ends_then() {
    in_a_place(Engine::MySql, async |place: Place| {
        place.open().await.close().await;
        place.sql().await.run(&format!("INSERT INTO {} (version) VALUES (99)", place.table("schema"))).await;
        let proxy = Proxy::start(place.engine, &place.database).await;
        let held = proxy.hold_the_reply_to(&["RELEASE_LOCK"]);
        let url = proxy.url(&place.url).to_string();
        let opening = tokio::spawn(async move { connect(&url).await });
        tokio::time::timeout(TEN_SECONDS, held).await.expect("asked");
        proxy.cut();
        let error = opening.await.expect("a task").expect_err("refused");
        assert!(matches!(error, StorageError::SchemaTooNew { found: 99, .. }), "{error}");
    });
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_with_the_reason_and_without_the_password() {
    for (url, part) in [
        ("mysql://ada:secret@127.0.0.1:1/db", "can't be reached"),
        ("mysql://127.0.0.1/db?table_prefix=no-prefix", "can't be the prefix of tables"),
        ("mysql://127.0.0.1/db?max_connections=1", "from 2 to 1000"),
        ("mysql://127.0.0.1/db?queue_poll_interval=soon", "with its unit"),
        ("mysql://127.0.0.1/db?prepare_schema=maybe", "must be `true` or `false`"),
        ("mysql://127.0.0.1:port/db", "invalid port"),
    ] {
        let error = open_error(url).await;
        assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
    }
}

// Where the server writes names in small letters, none of the tables was found.
#[test]
fn a_table_prefix_may_have_capitals() {
    in_a_place(Engine::MySql, async |place: Place| {
        let url = place.url.clone().with("table_prefix", "Shop_Jobs_");
        for url in [url.clone(), url.clone(), url.with("prepare_schema", "false")] {
            let storage = connect(&url.to_string()).await.expect("opened");
            Client::new(storage.clone()).enqueue(Work::new(1)).await.expect("stored");
            storage.close().await;
        }
    });
}
