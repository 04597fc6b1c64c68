//! PostgreSQL through a connection pooler in transaction mode, which gives a connection to whoever comes next.

use std::{str::FromStr as _, time::Duration};

use jobs_runtime::{
    prelude::*,
    storage::{Storage, Topic, connect, postgres::PostgresOptions},
};
use jobs_tests::{
    PgBouncer, Postgres, Schema,
    work::{EffectPostgres, Work},
};
use sqlx::{
    Connection as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::processes::{self, Process};

/// The URL of the pooler with a schema of its own, which is dropped with the second value.
fn url() -> (String, Schema) {
    let (_, schema) = PgBouncer::options();
    let separator = if PgBouncer::url().contains('?') { '&' } else { '?' };
    (format!("{}{separator}schema={}&pooler=true", PgBouncer::url(), schema.0), schema)
}

/// What an application needs that uses the pooler itself.
fn application() -> PgConnectOptions {
    PgConnectOptions::from_str(&PgBouncer::url()).expect("a URL").extra_float_digits(None).statement_cache_capacity(0)
}

#[tokio::test]
async fn who_does_not_say_that_there_is_a_pooler_is_told_to() {
    let error = connect(&PgBouncer::url()).await.expect_err("refused").to_string();
    assert!(error.contains("open it with `pooler=true`"), "{error}");
}

/// Such a connection would listen for ever, and hear nothing.
#[tokio::test]
async fn listening_through_a_pooler_is_refused() {
    let (url, _schema) = url();
    let error = connect(&format!("{url}&listen=true")).await.expect_err("refused").to_string();
    assert!(error.contains("nobody can listen through a pooler") && error.contains("`listen_url`"), "{error}");
    let error = PostgresOptions::from_url(&url).expect("a URL").listen_url("localhost").expect_err("refused");
    assert!(error.to_string().contains("write `postgres://"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_find_what_others_stored_by_polling() {
    let (url, _schema) = url();
    let storage = connect(&format!("{url}&queue_poll_interval=50ms")).await.expect("opened");
    assert_eq!(storage.intervals().queue_poll, Duration::from_millis(50));
    let elsewhere = connect(&url).await.expect("opened");
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().start().await.expect("started");
    let client = Client::new(elsewhere.clone());
    for n in 0..5 {
        let handle = Work::enqueue(n).with(&client).await.expect("stored");
        assert_eq!(handle.wait(Duration::from_secs(30)).await.expect("done"), n);
    }
    server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    storage.close().await;
    elsewhere.close().await;
}

/// Who stores jobs through a pooler tells those who can listen.
#[tokio::test(flavor = "multi_thread")]
async fn who_listens_past_the_pooler_is_woken_by_those_who_cannot() {
    let (options, _schema) = PgBouncer::options();
    let listening = options.clone().listen_url(&Postgres::url()).expect("a URL").open().await.expect("opened");
    until_it_hears(&*listening).await;
    let storing = options.open().await.expect("opened");
    let mut ready = listening.signals().subscribe(Topic::Ready);
    Work::enqueue(1).with(&Client::new(storing.clone())).await.expect("stored");
    tokio::time::timeout(Duration::from_secs(10), ready.changed()).await.expect("a signal");
    assert_eq!(storing.intervals().queue_poll, Duration::from_secs(1), "nobody tells this one");
    listening.close().await;
    storing.close().await;
}

/// Elsewhere nobody noticed, but by jobs that began seconds late.
#[tokio::test(flavor = "multi_thread")]
async fn who_hears_nothing_polls_as_often_as_who_does_not_listen() {
    let (options, _schema) = PgBouncer::options();
    let often = Duration::from_millis(50);
    let deaf = options.clone().queue_poll_interval(often).listen_url("postgres://127.0.0.1:1/nobody").expect("a URL");
    let (deaf, storing) = (deaf.open().await.expect("opened"), options.open().await.expect("opened"));
    let server = JobServer::builder(deaf.clone()).discover(false).register::<Work>().start().await.expect("started");
    let handle = Work::enqueue(1).with(&Client::new(storing.clone())).await.expect("stored");
    handle.wait(Duration::from_secs(30)).await.expect("done");
    assert_eq!(deaf.intervals().queue_poll, often);
    server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    deaf.close().await;
    storing.close().await;
}

/// Then it polls but seldom.
pub(super) async fn until_it_hears(storage: &dyn Storage) {
    for _ in 0..1_000 {
        if storage.intervals().queue_poll == Duration::from_secs(5) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not hear: {:?}", storage.intervals());
}

/// A pooler's connection that someone dies with in the middle of a transaction is not given to the next one.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_nothing_and_record_nothing_twice() {
    let (url, _schema) = url();
    let url = format!("{url}&queue_poll_interval=50ms");
    let storage = connect(&url).await.expect("opened");
    let client = Client::new(storage.clone());
    let mut handles = Vec::new();
    let mut processes = vec![Process::start(&url), Process::start(&url)];
    for round in 0..6 {
        for n in 0..100 {
            handles.push(Work::enqueue(round * 100 + n).with(&client).await.expect("stored"));
        }
        processes.remove(0);
        processes.push(Process::start(&url));
    }
    processes::all_done_once(&storage, &handles).await;
    drop(processes);
    storage.close().await;
}

/// An application that uses the pooler has a pool of its own, in which other things are prepared and set.
#[tokio::test(flavor = "multi_thread")]
async fn an_applications_own_pool_may_go_through_the_pooler() {
    let (_, schema) = PgBouncer::options();
    let pool = PgPoolOptions::new().max_connections(4).connect_with(application()).await.expect("connected");
    let storage = PostgresOptions::from_pool(pool.clone()).schema(&schema.0).pooler(true).open().await.expect("opened");
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().start().await.expect("started");
    let handles = Client::new(storage.clone()).enqueue_all((0..100).map(Work::new)).await.expect("stored");
    processes::all_done_once(&storage, &handles).await;
    server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    storage.close().await;
    pool.close().await;
}

/// What stays in a connection is found by whoever gets it next: prepared statements, locks, settings, temporary tables,
/// and channels that someone listens to.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_in_the_poolers_connections() {
    let (url, _schema) = url();
    let storage = connect(&format!("{url}&queue_poll_interval=50ms")).await.expect("opened");
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().start().await.expect("started");
    let handles = Client::new(storage.clone()).enqueue_all((0..200).map(Work::new)).await.expect("stored");
    processes::all_done_once(&storage, &handles).await;
    server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    storage.close().await;
    nothing_is_left().await;
}

/// The pooler gives each of their transactions to whatever connection of the server's is free.
#[tokio::test(flavor = "multi_thread")]
async fn handlers_write_in_transactions_of_their_own() {
    let (url, schema) = url();
    let storage = connect(&format!("{url}&queue_poll_interval=50ms&max_connections=8")).await.expect("opened");
    let mut sql = PgConnection::connect(&Postgres::url()).await.expect("connected");
    let table = format!("{}.effects", schema.0);
    let create = format!("CREATE TABLE {table} (n BIGINT NOT NULL)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut sql).await.expect("created");
    let server = JobServer::builder(storage.clone()).discover(false).workers(16);
    let server = server.register::<Work>().register::<EffectPostgres>().register::<WriteAndFail>();
    let server = server.start().await.expect("started");
    let client = Client::new(storage.clone());
    let effects = (0..100).map(|n| EffectPostgres::new(table.clone(), n));
    let effects = client.enqueue_all(effects).await.expect("stored");
    let failing = client.enqueue_all((0..30).map(|n| WriteAndFail::new(table.clone(), n))).await.expect("stored");
    for job in &effects {
        job.wait(Duration::from_secs(30)).await.expect("done");
    }
    for job in &failing {
        let error = job.wait(Duration::from_secs(30)).await.expect_err("it fails").to_string();
        assert!(error.contains("on purpose"), "{error}");
    }
    let written = format!("SELECT count(*) FROM {table}");
    let written: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(written)).fetch_one(&mut sql).await.expect("counted");
    assert_eq!(written, 100);
    server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    storage.close().await;
    nothing_is_left().await;
}

/// Leaves statements behind that are prepared, and a transaction that is rolled back.
#[job(retry(attempts = 0))]
async fn write_and_fail(mut tx: JobTx<sqlx::Postgres>, table: String, n: u64) -> anyhow::Result<()> {
    let insert = format!("INSERT INTO {table} (n) VALUES ($1)");
    let insert = sqlx::query(sqlx::AssertSqlSafe(insert)).bind(i64::try_from(n)?);
    insert.execute(&mut **tx.begin().await?).await?;
    anyhow::bail!("on purpose")
}

/// Of a pooler that xtask starts these are all connections there are.
async fn nothing_is_left() {
    let mut connections = Vec::new();
    for _ in 0..3 {
        let mut connection = PgConnection::connect_with(&application()).await.expect("connected");
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.expect("begun");
        connections.push(connection);
    }
    for connection in &mut connections {
        let found = sqlx::raw_sql(LEFT).fetch_all(&mut *connection).await.expect("asked");
        let left: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

const LEFT: &str = "
    SELECT 'prepared: ' || statement FROM pg_prepared_statements
    UNION ALL SELECT 'listens: ' || channel FROM pg_listening_channels() AS channel
    UNION ALL SELECT 'locked: ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'temporary: ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
    UNION ALL SELECT 'set: ' || name || ' = ' || setting FROM pg_settings
        WHERE source = 'session'
          AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')";
