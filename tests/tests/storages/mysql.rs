//! What is MySQL's own: URLs, prefixes, and several processes.

use jobs_runtime::{
    prelude::*,
    storage::{StorageError, connect},
};
use jobs_tests::{Database, MySql, work::Work};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use super::processes;

/// A database of its own, which is dropped with the value, and its URL.
async fn database() -> (String, Database) {
    let (_, database) = MySql::options().await;
    (database.url(), database)
}

async fn execute(url: &str, statement: String) {
    let mut connection = MySqlConnection::connect(url).await.expect("connected");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("executed");
}

async fn open_error(url: &str) -> String {
    let error = connect(url).await.expect_err(url);
    assert!(matches!(error, StorageError::Open { .. } | StorageError::InvalidUrl { .. }), "{error:?}");
    error.to_string()
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
    let (url, database) = database().await;
    let error = open_error(&url.replace(&database.0, "jobs_test_of_nobody")).await;
    assert!(error.contains("there is no such database"), "{error}");
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused() {
    let (url, _database) = database().await;
    connect(&url).await.expect("opened").close().await;
    execute(&url, "INSERT INTO jobs_schema (version) VALUES (99)".to_owned()).await;
    let error = connect(&url).await.expect_err("refused");
    assert!(matches!(error, StorageError::SchemaTooNew { found: 99, .. }), "{error}");
}

#[tokio::test]
async fn without_migrating_an_empty_database_is_refused() {
    let (url, _database) = database().await;
    let error = open_error(&format!("{url}?prepare_schema=false")).await;
    assert!(error.contains("version 0") && error.contains("`prepare_schema` is off"), "{error}");
    connect(&url).await.expect("migrated").close().await;
    connect(&format!("{url}?prepare_schema=false")).await.expect("opened").close().await;
}

/// Processes of one program start at the same time.
#[tokio::test]
async fn many_may_open_an_empty_database_at_once() {
    let (url, _database) = database().await;
    let opening: Vec<_> = (0..6)
        .map(|_| {
            tokio::spawn({
                let url = url.clone();
                async move { connect(&url).await }
            })
        })
        .collect();
    for opened in opening {
        opened.await.expect("a task").expect("opened").close().await;
    }
}

#[tokio::test]
async fn programs_with_different_prefixes_do_not_see_each_other() {
    let (url, _database) = database().await;
    let one = connect(&format!("{url}?table_prefix=one_")).await.expect("opened");
    let other = connect(&format!("{url}?table_prefix=other_")).await.expect("opened");
    let job = Client::new(one.clone()).enqueue(Work::new(1)).await.expect("stored");
    assert!(other.job(job.id()).await.expect("read").is_none());
    assert_eq!(other.counts().await.expect("counted").unfinished(), 0);
    one.close().await;
    assert!(matches!(one.counts().await.expect_err("closed"), StorageError::Closed { .. }));
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_nothing_and_record_nothing_twice() {
    let (url, _database) = database().await;
    let storage = connect(&url).await.expect("opened");
    processes::killed_processes_lose_nothing_and_record_nothing_twice(storage.clone(), &url).await;
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_one_database() {
    let (url, _database) = database().await;
    let storage = connect(&url).await.expect("opened");
    processes::several_processes_share_the_work(storage.clone(), &url).await;
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_does_not_end_what_another_one_runs() {
    let (url, _database) = database().await;
    let storage = connect(&url).await.expect("opened");
    processes::a_frozen_process_does_not_end_what_another_one_runs(storage.clone(), &url).await;
    storage.close().await;
}
