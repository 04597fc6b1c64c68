//! How tables are made and changed: when a storage is opened, apart from that, or by hand; and while others work.

mod place;
mod rights;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use jobs_runtime::{
    prelude::*,
    storage::{Storage, StorageError, connect, migrate, migrations},
};
use jobs_tests::work::Work;

use self::place::{Kind, Place};

const LONG: Duration = Duration::from_secs(30);

async fn server(storage: &Arc<dyn Storage>) -> JobServer {
    JobServer::builder(storage.clone()).discover(false).register::<Work>().start().await.expect("started")
}

/// A storage that works: a job is stored, and run.
async fn works(url: &str) {
    let storage = connect(url).await.expect("opened");
    let server = server(&storage).await;
    let handle = Work::enqueue(3).with(&Client::new(storage.clone())).await.expect("stored");
    assert_eq!(handle.wait(LONG).await.expect("done"), 3);
    server.shutdown(LONG).await.expect("shut down");
    storage.close().await;
}

async fn what_is_printed_makes_the_tables(kind: Kind) {
    let place = Place::new(kind).await;
    for migration in place.printed() {
        place.execute(&migration.sql).await;
    }
    works(&place.unprepared()).await;
    // And nothing is left to be done.
    migrate(&place.url).await.expect("migrated");
    assert_eq!(place.versions().await, Vec::from_iter(1..=place.latest()));
}

async fn tables_are_made_apart_and_once(kind: Kind) {
    let place = Place::new(kind).await;
    for _ in 0..2 {
        migrate(&place.unprepared()).await.expect("migrated");
        assert_eq!(place.versions().await, Vec::from_iter(1..=place.latest()));
    }
    works(&place.unprepared()).await;
}

async fn an_empty_place_is_refused_with_what_to_do(kind: Kind) {
    let place = Place::new(kind).await;
    let error = connect(&place.unprepared()).await.expect_err("refused");
    assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
    let (error, latest) = (error.to_string(), place.latest());
    for told in [
        "schema version 0,",
        &format!("version {latest} is needed"),
        "`prepare_schema` is off",
        "call `migrate`",
        "run the statements that `migrations` lists",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
}

async fn a_later_version_is_refused_with_both_versions(kind: Kind) {
    let place = Place::new(kind).await;
    migrate(&place.url).await.expect("migrated");
    let (found, supported) = (place.latest() + 1, place.latest());
    place.execute(&format!("INSERT INTO {}schema (version) VALUES ({found})", place.prefix)).await;
    for url in [place.url.clone(), place.unprepared()] {
        let error = connect(&url).await.expect_err("refused");
        let named =
            matches!(error, StorageError::SchemaTooNew { found: f, supported: s, .. } if (f, s) == (found, supported));
        assert!(named, "{error:?}");
        let told = format!("schema version {found}, this program knows {supported}: run it with a later version");
        assert!(error.to_string().contains(&told), "{error}");
    }
}

async fn a_table_that_is_missing_is_told_at_the_start(kind: Kind) {
    let place = Place::new(kind).await;
    migrate(&place.url).await.expect("migrated");
    let tables = ["ready", "schedule"].map(|table| format!("{}{table}", place.prefix));
    for table in &tables {
        place.execute(&format!("DROP TABLE {table}")).await;
    }
    for url in [place.url.clone(), place.unprepared()] {
        let error = connect(&url).await.expect_err("refused");
        assert!(matches!(error, StorageError::Corrupt { .. }), "{error:?}");
        assert!(error.to_string().ends_with(&format!("are missing: {}", tables.join(", "))), "{error}");
    }
}

/// Processes of one program start at the same time.
async fn processes_that_start_at_once_migrate_once(kind: Kind) {
    let place = Place::new(kind).await;
    let start = |_| Process::start(&place.url);
    let processes: Vec<Process> = (0..6).map(start).collect();
    for process in processes {
        process.until_ready();
    }
    assert_eq!(place.versions().await, Vec::from_iter(1..=place.latest()));
    works(&place.unprepared()).await;
}

/// A server process, which is killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(url: &str) -> Self {
        let mut worker = Command::new(env!("CARGO_BIN_EXE_worker"));
        Self(worker.arg(url).stdout(Stdio::piped()).spawn().expect("a worker"))
    }

    fn until_ready(mut self) {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        assert!(line.starts_with("ready"), "{line:?}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }
}

/// Processes of a new version start while those of the one before still work.
async fn a_server_goes_on_while_others_migrate(kind: Kind) {
    let place = Place::new(kind).await;
    let storage = connect(&place.url).await.expect("opened");
    if let Kind::Postgres | Kind::PgBouncer = kind {
        // What the last version has brought, this server does not use: to it, the tables are those of the one before.
        place
            .execute(&format!("DROP TABLE {0}named_lock; DELETE FROM {0}schema WHERE version = 4", place.prefix))
            .await;
    }
    let server = server(&storage).await;
    let client = Client::new(storage.clone());
    let migrating = tokio::spawn({
        let url = place.url.clone();
        async move {
            for _ in 0..5 {
                migrate(&url).await.expect("migrated");
            }
        }
    });
    let mut handles = Vec::new();
    while !migrating.is_finished() || handles.len() < 50 {
        handles.push(Work::enqueue(handles.len() as u64).with(&client).await.expect("stored"));
    }
    migrating.await.expect("migrated");
    for (n, handle) in (0..).zip(&handles) {
        assert_eq!(handle.wait(LONG).await.expect("done"), n);
    }
    assert_eq!(place.versions().await, Vec::from_iter(1..=place.latest()));
    assert!(server.health().is_healthy());
    server.shutdown(LONG).await.expect("shut down");
    storage.close().await;
}

async fn tables_of_each_version_are_migrated_with_what_is_in_them(kind: Kind) {
    let latest = Place::new(kind).await.latest();
    assert!(latest > 1, "there is a version before");
    for version in 1..latest {
        let place = Place::new(kind).await;
        for migration in place.printed().iter().filter(|migration| migration.version <= version) {
            place.execute(&migration.sql).await;
        }
        place.store_a_job_of_version_1().await;
        let refused = connect(&place.unprepared()).await.expect_err("refused").to_string();
        assert!(refused.contains(&format!("schema version {version}, version {latest} is needed")), "{refused}");
        let storage = connect(&place.url).await.expect("migrated");
        assert_eq!(place.versions().await, Vec::from_iter(1..=latest));
        let server = server(&storage).await;
        let id = "0198c1ac-5b2e-7d3a-9c0e-3f1b5a7d9e11".parse().expect("an id");
        assert_eq!(Client::new(storage.clone()).handle::<u64>(id).wait(LONG).await.expect("done"), 5);
        server.shutdown(LONG).await.expect("shut down");
        storage.close().await;
    }
}

macro_rules! on {
    ($($database:ident $kind:ident { $($case:ident)* })*) => {
        $(
            mod $database {
                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $case() {
                        crate::$case(crate::Kind::$kind).await;
                    }
                )*
            }
        )*
    };
}

on! {
    postgres Postgres {
        what_is_printed_makes_the_tables
        tables_are_made_apart_and_once
        an_empty_place_is_refused_with_what_to_do
        a_later_version_is_refused_with_both_versions
        a_table_that_is_missing_is_told_at_the_start
        processes_that_start_at_once_migrate_once
        a_server_goes_on_while_others_migrate
        tables_of_each_version_are_migrated_with_what_is_in_them
    }
    pgbouncer PgBouncer {
        tables_are_made_apart_and_once
        processes_that_start_at_once_migrate_once
        a_server_goes_on_while_others_migrate
    }
    mysql MySql {
        what_is_printed_makes_the_tables
        tables_are_made_apart_and_once
        an_empty_place_is_refused_with_what_to_do
        a_later_version_is_refused_with_both_versions
        a_table_that_is_missing_is_told_at_the_start
        processes_that_start_at_once_migrate_once
        a_server_goes_on_while_others_migrate
    }
    sqlite Sqlite {
        what_is_printed_makes_the_tables
        tables_are_made_apart_and_once
        an_empty_place_is_refused_with_what_to_do
        a_later_version_is_refused_with_both_versions
        a_table_that_is_missing_is_told_at_the_start
        processes_that_start_at_once_migrate_once
        a_server_goes_on_while_others_migrate
        tables_of_each_version_are_migrated_with_what_is_in_them
    }
}

/// A program of the version before works beside one of the next, so what it uses may not go away.
#[test]
fn steps_only_add() {
    for url in ["postgres://h/d", "mysql://h/d", "sqlite://f"] {
        for migration in migrations(url).expect("printed").iter().filter(|migration| migration.version > 1) {
            for word in ["DROP ", "RENAME ", "ALTER COLUMN", "MODIFY ", "CHANGE ", "TRUNCATE ", "DELETE FROM"] {
                let version = migration.version;
                assert!(!migration.sql.contains(word), "{url}: version {version} has `{word}`");
            }
        }
    }
}

#[tokio::test]
async fn what_has_no_tables_is_not_migrated() {
    for url in ["memory:", "redis://h", "jobs.db", ""] {
        for error in [migrate(url).await.expect_err(url), migrations(url).expect_err(url)] {
            assert!(matches!(error, StorageError::InvalidUrl { .. }), "{error:?}");
            assert!(error.to_string().contains("it names no storage that has tables"), "{error}");
        }
    }
}
