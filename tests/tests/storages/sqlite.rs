//! What is SQLite's own: files, schemas, prefixes, pragmas, and several processes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jobs_runtime::{
    job::{Invocation, JobId, JobName, QueueName},
    prelude::*,
    state::{Enqueued, StateName, Transition},
    storage::{
        Claim, Finish, Initial, JobFilter, NewJob, PageRequest, Retention, ServerId, StorageError, connect,
        sqlite::SqliteOptions,
    },
};
use jobs_tests::{temporary_file, work::Work};
use sqlx::{Connection, SqliteConnection};

use super::processes;

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

async fn open_error(file: &Path) -> String {
    connect(&url(file)).await.expect_err("refused").to_string()
}

async fn execute(file: &Path, statement: &'static str) {
    let mut connection = SqliteConnection::connect(&url(file)).await.expect("opened");
    sqlx::query(statement).execute(&mut connection).await.expect("executed");
    connection.close().await.expect("closed");
}

#[tokio::test]
async fn files_that_cannot_be_opened_are_told_with_the_reason() {
    let (folder, file) = temporary_file();
    let missing = folder.path().join("no/such/folder/jobs.db");
    let error = open_error(&missing).await;
    assert!(error.contains("no/such/folder` does not exist"), "{error}");
    let error = open_error(folder.path()).await;
    assert!(error.contains("can't be opened or made"), "{error}");
    std::fs::write(&file, "this is a text, and longer than the header of a database would be: 0123456789".repeat(10))
        .expect("written");
    let error = open_error(&file).await;
    assert!(error.contains("is not a SQLite database"), "{error}");
}

#[tokio::test]
async fn urls_that_name_no_file_or_unknown_options_are_refused() {
    for (url, part) in [
        ("sqlite:", "sqlite://FILE"),
        ("sqlite:jobs.db", "sqlite://FILE"),
        ("sqlite://", "names no file"),
        ("sqlite://:memory:", "use `memory:`"),
        ("sqlite://x.db?colour=red", "unknown option `colour`"),
        ("sqlite://x.db?counters_aggregation_interval=1m", "unknown option `counters_aggregation_interval`"),
        ("sqlite://x.db?synchronous=maybe", "`full` or `normal`"),
        ("sqlite://x.db?prepare_schema", "`true` or `false`"),
        ("sqlite://x.db?table_prefix=a;b", "table prefix `a;b`"),
    ] {
        let error = connect(url).await.expect_err(url).to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
    assert!(!Path::new("x.db").exists(), "nothing was made");
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused() {
    let (_folder, file) = temporary_file();
    connect(&url(&file)).await.expect("opened").close().await;
    execute(&file, "INSERT INTO jobs_schema (version) VALUES (99)").await;
    let error = connect(&url(&file)).await.expect_err("refused");
    assert!(matches!(error, StorageError::SchemaTooNew { found: 99, supported: 4, .. }), "{error}");
    assert!(error.to_string().contains("later version of jobs-runtime"), "{error}");
}

#[tokio::test]
async fn a_schema_with_a_missing_table_is_refused_at_the_start() {
    let (_folder, file) = temporary_file();
    connect(&url(&file)).await.expect("opened").close().await;
    execute(&file, "DROP TABLE jobs_ready").await;
    let error = connect(&url(&file)).await.expect_err("refused");
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("jobs_ready"), "{error}");
}

#[tokio::test]
async fn without_migrating_a_new_file_is_refused() {
    let (_folder, file) = temporary_file();
    let error = connect(&format!("{}?prepare_schema=false", url(&file))).await.expect_err("refused").to_string();
    assert!(error.contains("version 0") && error.contains("version 4 is needed"), "{error}");
    connect(&url(&file)).await.expect("migrated").close().await;
    connect(&format!("{}?prepare_schema=false", url(&file))).await.expect("opened").close().await;
}

#[tokio::test]
async fn programs_with_different_prefixes_share_a_file_and_nothing_else() {
    let (_folder, file) = temporary_file();
    let open = async |prefix: &str| SqliteOptions::new(&file).table_prefix(prefix).open().await.expect("opened");
    let (mail, shop) = (open("mail_").await, open("shop_").await);
    Client::new(mail.clone()).enqueue(Work { n: 1 }).await.expect("stored");
    assert_eq!(mail.counts().await.expect("counted").unfinished(), 1);
    assert_eq!(shop.counts().await.expect("counted").unfinished(), 0);
    mail.close().await;
    shop.close().await;
}

/// Elsewhere (apalis-sqlite) `synchronous` was set on whichever connection of the pool got it. Here the writer's
/// setting shows in what its commits do, and the others' in what they are opened with.
#[tokio::test]
async fn the_file_is_in_wal_mode_and_survives_being_reopened() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    let handle = Client::new(storage.clone()).enqueue(Work { n: 1 }).await.expect("stored");
    storage.close().await;
    let mut connection = SqliteConnection::connect(&url(&file)).await.expect("opened");
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.expect("asked");
    assert_eq!(mode, "wal");
    connection.close().await.expect("closed");
    let storage = connect(&url(&file)).await.expect("reopened");
    let details = storage.job(handle.id()).await.expect("read").expect("a job");
    assert_eq!(details.job.arguments, r#"{"n":1}"#);
    storage.close().await;
    let error = storage.counts().await.expect_err("closed");
    assert!(matches!(error, StorageError::Failed { .. } | StorageError::Closed { .. }), "{error}");
    let error = Client::new(storage).enqueue(Work { n: 2 }).await.expect_err("closed").to_string();
    assert!(error.contains("is closed"), "{error}");
}

#[tokio::test]
async fn retention_is_settable_for_each_state() {
    let (_folder, file) = temporary_file();
    let hour = Duration::from_secs(3600);
    let retention = Retention::DEFAULT.succeeded(hour).deleted(hour * 2).failed(hour * 3);
    let clock = jobs_runtime::testing::TestClock::new();
    let storage = SqliteOptions::new(&file).retention(retention).clock(clock.clock()).open().await.expect("opened");
    let client = Client::new(storage.clone());
    let deleted = client.enqueue(Work { n: 1 }).await.expect("stored");
    client.delete(&deleted).await.expect("deleted");
    let expires_at = deleted.details().await.expect("read").expect("a job").expires_at;
    assert_eq!(expires_at, Some(clock.now() + hour * 2));
    storage.close().await;
}

/// Elsewhere (River #1255, #1251) one stalled call without a time limit hung a worker for ever. Here another program
/// holds the file's write lock: calls fail with what was asked and for how long, the server says that it is not
/// well, and goes on when the lock is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_file_is_told_and_the_server_goes_on() {
    let (_folder, file) = temporary_file();
    let limit = Duration::from_millis(100);
    let storage = SqliteOptions::new(&file).transaction_timeout(limit).open().await.expect("opened");
    let client = Client::new(storage.clone());
    let server = JobServer::builder(storage.clone())
        .discover(false)
        .register::<Work>()
        .queue_poll_interval(Duration::from_millis(20))
        .start()
        .await
        .expect("started");
    let mut other = SqliteConnection::connect(&url(&file)).await.expect("opened");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let error = client.enqueue(Work { n: 1 }).await.expect_err("stalled").to_string();
    assert!(error.contains("did not answer `enqueue` within 100ms"), "{error}");
    while server.health().is_healthy() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    lock.rollback().await.expect("unlocked");
    other.close().await.expect("closed");
    // The call that was given up is not carried out behind its caller's back.
    let second = client.enqueue(Work { n: 2 }).await.expect("stored");
    assert_eq!(second.wait(Duration::from_secs(30)).await.expect("done"), 2);
    while !server.health().is_healthy() || storage.totals().await.expect("read").succeeded < 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(storage.counts().await.expect("counted").unfinished(), 0);
    server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    storage.close().await;
}

/// Once, and not one after the other: a server with a hundred calls under way would be deaf for a quarter of an
/// hour.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_for_a_lock_together_fail_together() {
    let (_folder, file) = temporary_file();
    let busy = Duration::from_millis(500);
    let storage = SqliteOptions::new(&file).busy_timeout(busy).open().await.expect("opened");
    let client = Client::new(storage.clone());
    let mut other = SqliteConnection::connect(&url(&file)).await.expect("opened");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let began = Instant::now();
    let call = |n| {
        let client = client.clone();
        tokio::spawn(async move { client.enqueue(Work { n }).await.map(|_| ()) })
    };
    let calls: Vec<_> = (0..20).map(call).collect();
    for call in calls {
        let error = call.await.expect("asked").expect_err("locked").to_string();
        assert!(error.contains("database is locked"), "{error}");
    }
    // Some came in time for the first group, the others for the second, and the client asks twice. One after the
    // other they would take twenty times the busy timeout and more.
    assert!(began.elapsed() < busy * 15, "{:?}", began.elapsed());
    lock.rollback().await.expect("unlocked");
    other.close().await.expect("closed");
    client.enqueue(Work { n: 1 }).await.expect("stored");
    storage.close().await;
}

/// What goes into one commit does not fail together with one bad call.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_takes_no_other_with_it() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    let client = Client::new(storage.clone());
    let server = ServerId::new("worker");
    let mut other = SqliteConnection::connect(&url(&file)).await.expect("opened");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let call = |n| {
        let (client, storage, server) = (client.clone(), storage.clone(), server.clone());
        tokio::spawn(async move {
            let new = client.enqueue(Work { n }).await.map(|handle| handle.id());
            let claim = Claim { server, queues: [QueueName::DEFAULT].into(), limit: 1 };
            (new, storage.claim(claim).await.map(|jobs| jobs.len()))
        })
    };
    let calls: Vec<_> = (0..10).map(call).collect();
    let now = storage.clock().now();
    let invocation = Invocation::new(JobName::new("suite", "orphan"), &()).expect("JSON");
    let mut orphan = NewJob::new(JobId::generate(now), invocation, now);
    orphan.initial = Initial::Awaiting(JobId::generate(now));
    let orphan = tokio::spawn({
        let storage = storage.clone();
        async move { storage.enqueue(vec![orphan]).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    lock.rollback().await.expect("unlocked");
    other.close().await.expect("closed");
    let error = orphan.await.expect("asked").expect_err("refused");
    assert!(matches!(error, StorageError::UnknownParent { .. }), "{error}");
    for call in calls {
        let (new, claimed) = call.await.expect("asked");
        new.expect("stored");
        assert_eq!(claimed.expect("claimed"), 1);
    }
    storage.close().await;
}

/// It would take jobs that nobody runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_caller_has_gone_takes_nothing() {
    let (_folder, file) = temporary_file();
    let storage =
        SqliteOptions::new(&file).transaction_timeout(Duration::from_millis(100)).open().await.expect("opened");
    Client::new(storage.clone()).enqueue(Work { n: 1 }).await.expect("stored");
    let mut other = SqliteConnection::connect(&url(&file)).await.expect("opened");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let claim = Claim { server: ServerId::new("worker"), queues: [QueueName::DEFAULT].into(), limit: 1 };
    let error = storage.claim(claim).await.expect_err("too late");
    assert!(matches!(error, StorageError::Timeout { operation: "claim", .. }), "{error}");
    lock.rollback().await.expect("unlocked");
    other.close().await.expect("closed");
    storage.promote(1).await.expect("after the claim");
    assert_eq!(storage.counts().await.expect("counted").of(StateName::Enqueued).value, 1);
    storage.close().await;
}

/// The last line of a job's history is the state it is in, however fast it moves.
#[tokio::test(flavor = "multi_thread")]
async fn details_are_of_one_moment() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    let handle = Client::new(storage.clone()).enqueue(Work { n: 1 }).await.expect("stored");
    let mover = tokio::spawn({
        let storage = storage.clone();
        async move {
            loop {
                let claim = Claim { server: ServerId::new("worker"), queues: [QueueName::DEFAULT].into(), limit: 1 };
                let job = storage.claim(claim).await.expect("claimed").remove(0);
                let transition = Transition::new(Enqueued {}, storage.clock().now());
                let back = Finish { job: job.id, token: job.token, transition };
                storage.finish(vec![back]).await.expect("given back");
            }
        }
    });
    for _ in 0..200 {
        let details = handle.details().await.expect("read").expect("a job");
        assert_eq!(details.history.last().map(|entry| entry.state), Some(details.job.state));
        assert!(details.history.windows(2).all(|pair| pair[0].state != pair[1].state), "{details:#?}");
    }
    mover.abort();
    storage.close().await;
}

/// It comes from a URL, so a cursor of one list may come to another.
#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    Client::new(storage.clone()).enqueue_all([Work { n: 1 }, Work { n: 2 }]).await.expect("stored");
    let waiting = JobFilter::state(StateName::Enqueued);
    let first = async |filter: &JobFilter| {
        let page = storage.jobs(filter, &PageRequest::first(1)).await.expect("read");
        page.next.expect("a second page")
    };
    let (of_all, of_waiting) = (first(&JobFilter::all()).await, first(&waiting).await);
    let mut refused = vec![(JobFilter::all(), of_waiting.clone()), (waiting.clone(), of_all.clone())];
    refused.extend(StateName::ALL.into_iter().map(|state| (JobFilter::state(state), of_all.clone())));
    // Someone may also have changed it.
    refused.push((waiting.clone(), of_all.replace("null", "\"Enqueued\"")));
    refused.push((waiting.clone(), of_all.replace("null", "\"enqueued\"")));
    for (filter, cursor) in refused {
        let error = storage.jobs(&filter, &PageRequest::after(1, &cursor)).await.expect_err(&cursor);
        assert!(matches!(error, StorageError::InvalidCursor(_)), "{filter:?} {cursor}: {error}");
    }
    for (filter, cursor) in [(JobFilter::all(), of_all), (waiting, of_waiting)] {
        assert_eq!(storage.jobs(&filter, &PageRequest::after(1, cursor)).await.expect("read").jobs.len(), 1);
    }
    storage.close().await;
}

/// A file that someone deletes does not come back as an empty one.
#[tokio::test]
async fn a_deleted_file_is_not_made_again() {
    let (folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        std::fs::remove_file(entry.expect("a file").path()).expect("removed");
    }
    storage.counts().await.expect_err("no file");
    assert!(!file.exists());
    storage.close().await;
}

#[tokio::test]
async fn polling_without_a_pause_is_refused() {
    let (_folder, file) = temporary_file();
    let error = SqliteOptions::new(&file).queue_poll_interval(Duration::ZERO).open().await.expect_err("refused");
    assert!(error.to_string().contains("queue_poll_interval"), "{error}");
    assert!(!file.exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_nothing_and_record_nothing_twice() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    processes::kill_again_and_again(storage.clone(), &url(&file)).await;
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_one_file() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    processes::share_the_work(storage.clone(), &url(&file)).await;
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_does_not_end_what_another_one_runs() {
    let (_folder, file) = temporary_file();
    let storage = connect(&url(&file)).await.expect("opened");
    processes::freeze_and_wake_up(storage.clone(), &url(&file)).await;
    storage.close().await;
}
