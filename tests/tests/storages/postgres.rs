//! What is PostgreSQL's own: URLs, schemas, connections, and several processes.

use jobs_runtime::{
    prelude::*,
    storage::{StorageError, connect},
};
use jobs_tests::{
    Postgres,
    work::{Nap, Work},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::processes;

/// The URL of the test database with a schema of its own, which is dropped with the second value.
fn url() -> (String, jobs_tests::Schema) {
    let (_, schema) = Postgres::options();
    let separator = if Postgres::url().contains('?') { '&' } else { '?' };
    (format!("{}{separator}schema={}", Postgres::url(), schema.0), schema)
}

async fn execute(statement: String) {
    let mut connection = PgConnection::connect(&Postgres::url()).await.expect("connected");
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
        ("postgres://ada:secret@127.0.0.1:1/db", "can't be reached"),
        ("postgres://127.0.0.1/db?schema=No-Schema", "can't be the name of the schema"),
        ("postgres://127.0.0.1/db?max_connections=1", "from 2 to 1000"),
        ("postgres://127.0.0.1/db?max_connections=many", "must be a number"),
        ("postgres://127.0.0.1/db?prepare_schema=maybe", "must be `true` or `false`"),
        ("postgres://127.0.0.1:port/db", "invalid port"),
    ] {
        let error = open_error(url).await;
        assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
    }
    let missing = Postgres::url().replacen("jobs_test", "no_such_database", 1);
    if missing != Postgres::url() {
        let error = open_error(&missing).await;
        assert!(error.contains("there is no such database"), "{error}");
    }
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused() {
    let (url, schema) = url();
    connect(&url).await.expect("opened").close().await;
    execute(format!("INSERT INTO {}.schema (version) VALUES (99)", schema.0)).await;
    let error = connect(&url).await.expect_err("refused");
    assert!(matches!(error, StorageError::SchemaTooNew { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("later version of jobs-runtime"), "{error}");
}

#[tokio::test]
async fn without_migrating_an_empty_database_is_refused() {
    let (url, _schema) = url();
    let error = open_error(&format!("{url}&prepare_schema=false")).await;
    assert!(error.contains("version 0") && error.contains("`prepare_schema` is off"), "{error}");
    connect(&url).await.expect("migrated").close().await;
    connect(&format!("{url}&prepare_schema=false")).await.expect("opened").close().await;
}

/// Processes of one program start at the same time.
#[tokio::test]
async fn many_may_open_a_new_schema_at_once() {
    let (url, _schema) = url();
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
async fn programs_with_different_schemas_do_not_see_each_other() {
    let ((one, _one), (other, _other)) = (url(), url());
    let (one, other) = (connect(&one).await.expect("opened"), connect(&other).await.expect("opened"));
    let job = Client::new(one.clone()).enqueue(Work::new(1)).await.expect("stored");
    assert!(other.job(job.id()).await.expect("read").is_none());
    assert_eq!(other.counts().await.expect("counted").unfinished(), 0);
    one.close().await;
    assert!(matches!(one.counts().await.expect_err("closed"), StorageError::Closed { .. }));
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_nothing_and_record_nothing_twice() {
    let (url, _schema) = url();
    let storage = connect(&url).await.expect("opened");
    processes::killed_processes_lose_nothing_and_record_nothing_twice(storage.clone(), &url).await;
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_one_schema() {
    let (url, _schema) = url();
    let storage = connect(&url).await.expect("opened");
    processes::several_processes_share_the_work(storage.clone(), &url).await;
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_does_not_end_what_another_one_runs() {
    let (url, _schema) = url();
    let storage = connect(&url).await.expect("opened");
    processes::a_frozen_process_does_not_end_what_another_one_runs(storage.clone(), &url).await;
    storage.close().await;
}

/// Elsewhere (apalis) connections that were gone for 100 ms ended the worker and stranded its jobs.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_ends_lose_nothing() {
    let (url, schema) = url();
    let name = format!("jobs {}", schema.0);
    let storage = connect(&format!("{url}&application_name={name}").replace(' ', "%20")).await.expect("opened");
    let client = Client::new(storage.clone());
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().register::<Nap>();
    let server = server.workers(5).start().await.expect("started");
    let mut handles = Vec::new();
    for round in 0..10 {
        for n in 0..100 {
            handles.push(Work::enqueue(round * 100 + n).with(&client).await.expect("stored"));
        }
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ";
        execute(format!("{terminate} '{name}'")).await;
    }
    processes::all_done_once(&storage, &handles).await;
    server.shutdown(std::time::Duration::from_secs(10)).await.expect("shut down");
    storage.close().await;
}
