//! What is MySQL's own: its URLs, and its lock while tables are prepared.

use std::time::Duration;

use jobs_runtime::{
    prelude::*,
    storage::{StorageError, connect},
};
use jobs_tests::{Engine, Place, Proxy, in_a_place, work::Work};

use super::opening::open_error;

const TEN_SECONDS: Duration = Duration::from_secs(10);

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
