//! What only this module can see: the plans of its statements, and the settings of its connections.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};

use super::{
    Shared, Sqlite, SqliteOptions, Synchronous, connection, link, schema, session::DIALECT, transactions::Turns,
};
use crate::{
    clock::{Clock, Timestamp},
    job::{Failure, Invocation, JobId, JobName, QueueName, Recurrence, ScheduleId},
    state::{Attempts, Deleted, Enqueued, Failed, Scheduled, StateName, Succeeded, Transition},
    storage::{
        Change, Claim, ClaimedJob, Finish, Initial, JobFilter, Monitor, NewJob, PageRequest, Period, Rescue,
        ScheduleContent, ScheduleWrite, ServerId, ServerRecord, Signals, Storage, StorageResult,
        monitor::cursor,
        sql::{List, ListJobs, SqlStorage, Templates},
    },
    testing::TestClock,
};

async fn open(options: SqliteOptions) -> StorageResult<SqlStorage<Sqlite>> {
    Sqlite::open(options).await.map(SqlStorage)
}

fn options(folder: &tempfile::TempDir) -> SqliteOptions {
    SqliteOptions::new(folder.path().join("jobs.db"))
}

/// Elsewhere (apalis-sqlite) `synchronous` was set on whichever connection of a pool got the statement.
#[tokio::test]
async fn every_connection_has_every_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    for (synchronous, number) in [(Synchronous::Full, 2), (Synchronous::Normal, 1)] {
        let storage = open(options(&folder).synchronous(synchronous)).await.expect("opened");
        let mut writer = connection::open(&storage.0.shared.options).await.expect("a writer");
        link::prepare(&mut writer).await.expect("prepared");
        let of_handlers = storage.0.handlers.acquire().await.expect("a connection").detach();
        let reader = storage.0.server_reader.acquire().await.expect("a reader").detach();
        let mut connections = vec![writer, of_handlers, reader];
        for _ in 0..3 {
            connections.push(storage.0.readers.acquire().await.expect("a reader").detach());
        }
        for (n, connection) in connections.iter_mut().enumerate() {
            let mut pragma = async |name: &'static str| {
                let row = sqlx::query(name).fetch_one(&mut *connection).await.expect("asked");
                row.try_get::<i64, _>(0).map_or_else(|_| row.get::<String, _>(0), |number| number.to_string())
            };
            assert_eq!(pragma("PRAGMA synchronous").await, number.to_string());
            assert_eq!(pragma("PRAGMA journal_mode").await, "wal");
            // Those that write wait for locks themselves.
            let writes = n < 2;
            assert_eq!(pragma("PRAGMA busy_timeout").await, if writes { "0" } else { "10000" });
            assert_eq!(pragma("PRAGMA journal_size_limit").await, "67108864");
            assert_eq!(pragma("PRAGMA query_only").await, u8::from(!writes).to_string());
        }
        storage.close().await;
    }
}

/// SQLite rolls back by itself when the disk is full, which sqlx does not notice: the write fails, and those after
/// it work again as soon as there is space.
#[tokio::test]
async fn a_full_disk_is_told_and_writes_work_when_there_is_space_again() {
    let folder = tempfile::tempdir().expect("a folder");
    open(options(&folder)).await.expect("made").close().await;
    let (shared, mut connection) = opened(&folder).await;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut connection).await.expect("asked");
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 20));
    sqlx::query(limit).execute(&mut connection).await.expect("limited");
    let storage = SqlStorage(Sqlite::start(shared, connection).await.expect("started"));
    let now = Timestamp::UNIX_EPOCH;
    let text = "x".repeat(500_000);
    let invocation = Invocation::new(JobName::new("suite", "big"), &text).expect("JSON");
    let big = NewJob { invocation, ..job(now, Initial::Enqueued) };
    let error = storage.enqueue(vec![big.clone()]).await.expect_err("full").to_string();
    assert!(error.contains("full"), "{error}");
    // SQLite rolled back by itself. The limit belonged to the connection that broke: now there is space.
    storage.enqueue(vec![job(now, Initial::Enqueued)]).await.expect("stored");
    storage.enqueue(vec![big]).await.expect("stored");
    assert_eq!(storage.counts().await.expect("counted").unfinished(), 2);
    storage.close().await;
}

/// A transaction that was ended behind the writer's back, as SQLite does after an I/O error, costs one group.
#[tokio::test]
async fn a_connection_that_broke_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    open(options(&folder)).await.expect("made").close().await;
    let (shared, connection) = opened(&folder).await;
    let mut link = link::Link::new(shared, connection).await.expect("linked");
    for _ in 0..3 {
        link.begin().await.expect("begun");
        sqlx::query("ROLLBACK").execute(link.connection().expect("open")).await.expect("ended");
        assert!(!link.rollback().await, "there is nothing to roll back");
        assert!(link.connection().is_err(), "it was dropped");
        link.begin().await.expect("begun");
        link.commit().await.expect("committed");
    }
    link.begin().await.expect("begun");
    sqlx::query("ROLLBACK").execute(link.connection().expect("open")).await.expect("ended");
    link.commit().await.expect_err("nothing to commit");
    link.begin().await.expect("begun");
    link.commit().await.expect("committed");
    link.close().await;
}

/// What the writer is made of.
async fn opened(folder: &tempfile::TempDir) -> (Arc<Shared>, SqliteConnection) {
    let options = options(folder);
    let sql = Templates::new(options.table_prefix.clone(), &DIALECT);
    let shared = Shared { sql, clock: Clock::system(), options, signals: Signals::default(), turns: Turns::new() };
    let connection = connection::open(&shared.options).await.expect("opened");
    (Arc::new(shared), connection)
}

/// Elsewhere (pg-boss #228, River #746) statements scanned millions of old rows. Every statement that the usual
/// work brings about finds its rows by an index; those that walk a table stop after a page or a cap, or walk one
/// that has as many rows as there are jobs running or servers.
#[tokio::test]
async fn no_statement_scans_what_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = TestClock::new();
    let storage = open(options(&folder).clock(clock.clock())).await.expect("opened");
    work(&storage, &clock).await;
    let mut connection = connection::open(&storage.0.shared.options).await.expect("opened");
    let statements = storage.0.shared.sql.all();
    assert!(statements.len() > 40, "{}", statements.len());
    let mut unbounded = String::new();
    for statement in statements.iter().filter(|statement| !statement.contains("CREATE TABLE")) {
        for step in plan(&mut connection, statement).await {
            if !is_bounded(&step, statement) {
                unbounded += &format!("{step}\nin the plan of\n{statement}\n\n");
            }
        }
    }
    assert!(unbounded.is_empty(), "{unbounded}");
    storage.close().await;
}

/// The first page of a list walks its table in the order of the page, and later pages begin where they should:
/// nothing is sorted. Only the jobs that run are, which are few.
#[tokio::test]
async fn no_page_reads_more_than_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = open(options(&folder)).await.expect("opened");
    let mut connection = connection::open(&storage.0.shared.options).await.expect("opened");
    for state in std::iter::once(None).chain(StateName::ALL.map(Some)) {
        let filter = JobFilter { state, ..JobFilter::all() };
        for (page, expected) in [(PageRequest::first(5), "SCAN"), (PageRequest::after(5, end_of(state)), "SEARCH")] {
            let (text, _) = ListJobs { filter: filter.clone(), page }.text(&List::of(state)).expect("a query");
            let plan = plan(&mut connection, storage.0.shared.sql.once(&text).as_str()).await;
            let (first, others) = plan.split_first().expect("a step");
            if state == Some(StateName::Processing) {
                assert!(first.starts_with("SCAN x"), "{plan:#?}");
                continue;
            }
            assert!(first.starts_with(expected), "{state:?}: {plan:#?}");
            assert!(others.iter().all(|step| step.starts_with("SEARCH")), "{state:?}: {plan:#?}");
        }
    }
    storage.close().await;
}

/// A cursor of the list of `state`.
fn end_of(state: Option<StateName>) -> String {
    let id = JobId::generate(Timestamp::UNIX_EPOCH);
    let key = match state {
        None | Some(StateName::Awaiting) => json!(id),
        Some(StateName::Enqueued) => json!(["default", 0, 1]),
        Some(_) => json!([1, id]),
    };
    cursor(state, &key)
}

async fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(connection).await.expect("a plan");
    steps.iter().map(|row| row.get("detail")).collect()
}

/// Walking through what is as large as a batch, or as few as what runs, is allowed; and through a table without
/// any condition as far as a cap, or to its first row.
fn is_bounded(step: &str, statement: &str) -> bool {
    const SMALL: [&str; 10] =
        ["ids", "packed", "t", "v", "queues", "CONSTANT ROW", "p", "server", "jobs_processing", "jobs_statistics"];
    const SMALL_TABLES: [&str; 4] = ["jobs_schema", "jobs_server", "jobs_sequence", "sqlite_schema"];
    let Some(scanned) = step.strip_prefix("SCAN ") else { return !step.contains("TEMP B-TREE FOR ORDER BY") };
    let table = scanned.split(" USING ").next().unwrap_or_default();
    let capped = statement.contains(&format!("(SELECT 1 FROM {table} LIMIT ?)"));
    let first = statement.ends_with(&format!("FROM {table} ORDER BY at, job LIMIT 1"));
    capped
        || first
        || table.ends_with("VALUES CLAUSE")
        || SMALL.contains(&table)
        || SMALL_TABLES.contains(&table)
        || scanned.starts_with("(")
}

/// Every verb, with every kind of outcome.
async fn work(storage: &SqlStorage<Sqlite>, clock: &TestClock) {
    let jobs: Vec<NewJob> = (0..6).map(|_| job(clock.now(), Initial::Enqueued)).collect();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    storage.enqueue(jobs).await.expect("stored");
    let later = Initial::Scheduled(clock.now() + Duration::from_secs(1));
    storage.enqueue(vec![job(clock.now(), later), job(clock.now(), Initial::Awaiting(ids[0]))]).await.expect("stored");
    let record = ServerRecord {
        id: ServerId::new("worker"),
        started_at: clock.now(),
        queues: vec![QueueName::DEFAULT],
        workers: 1,
    };
    storage.heartbeat(&record).await.expect("beaten");
    let claim = Claim { server: record.id.clone(), queues: [QueueName::DEFAULT].into(), limit: 5 };
    let claimed = storage.claim(claim).await.expect("claimed");
    storage.begin(vec![(claimed[0].id, claimed[0].token)]).await.expect("noted");
    storage.finish(outcomes(&claimed, clock.now())).await.expect("finished");
    storage.finish(outcomes(&claimed, clock.now())).await.expect("refused");
    let move_all = |to: Transition| {
        let from = to.to.name().previous();
        ids.iter().map(|job| Change { job: *job, from, transition: to.clone() }).collect()
    };
    storage.change(move_all(Transition::new(Deleted {}, clock.now()))).await.expect("deleted");
    storage.change(move_all(Transition::new(Enqueued {}, clock.now()))).await.expect("requeued");
    clock.advance(Duration::from_secs(48 * 3600));
    storage.promote(10).await.expect("promoted");
    storage.rescue(Rescue { silent_since: clock.now(), max_lost: 3, limit: 10 }).await.expect("rescued");
    storage.change(move_all(Transition::new(Deleted {}, clock.now()))).await.expect("deleted");
    clock.advance(Duration::from_secs(48 * 3600));
    storage.revoked(vec![(ids[0], claimed[0].token)]).await.expect("asked");
    storage.job(ids[0]).await.expect("read");
    for state in StateName::ALL {
        storage.jobs(&JobFilter::state(state), &PageRequest::first(10)).await.expect("read");
    }
    storage.counts().await.expect("counted");
    storage.queues().await.expect("read");
    storage.servers().await.expect("read");
    storage.totals().await.expect("read");
    storage.statistics(Period::Hour, Timestamp::UNIX_EPOCH, clock.now()).await.expect("read");
    storage.expire(10).await.expect("expired");
    storage.retire(&record.id).await.expect("retired");
    work_with_schedules(storage, clock.now()).await;
}

async fn work_with_schedules(storage: &SqlStorage<Sqlite>, now: Timestamp) {
    let id = ScheduleId::new("a").expect("an id");
    let recurrence = Some(Recurrence { schedule: id.clone(), slot: Some(now) });
    let jobs = vec![NewJob { recurrence, ..job(now, Initial::Enqueued) }];
    let content = ScheduleContent { next_run: Some(now), definition: "{}".to_owned(), progress: "{}".to_owned() };
    let mut write = ScheduleWrite { id: id.clone(), found: None, content: Some(content), jobs };
    storage.write_schedules(vec![write.clone()]).await.expect("added");
    let due = storage.due_schedules(Some((Timestamp::UNIX_EPOCH, id.clone())), 10).await.expect("found").due;
    write.found = Some(due[0].version);
    storage.write_schedules(vec![write.clone()]).await.expect("changed");
    write.found = storage.schedule(&id).await.expect("read").map(|found| found.version);
    write.content = None;
    storage.write_schedules(vec![write]).await.expect("removed");
    assert!(storage.schedules(None, 10).await.expect("read").is_empty());
}

/// The tables of the first version, with a job, as a program left them that was built before there were schedules.
#[tokio::test]
async fn tables_of_an_earlier_version_are_migrated_with_what_is_in_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let shared = Shared {
        options: options(&folder),
        sql: Templates::new("jobs_", &DIALECT),
        clock: Clock::system(),
        signals: Signals::default(),
        turns: Turns::new(),
    };
    let mut connection = connection::create(&shared.options).await.expect("created");
    sqlx::query("CREATE TABLE jobs_schema (version INTEGER NOT NULL)").execute(&mut connection).await.expect("made");
    schema::migrate(&mut connection, &shared, 0, 1).await.expect("the first version");
    let insert = "
        INSERT INTO jobs_job (id, type, method, arguments, queue, priority, created_at, state, state_at, place, spent, lost)
        VALUES (zeroblob(16), 'suite', 'old', '{}', 'default', 0, 0, 'enqueued', 0, 1, 0, 0);
        INSERT INTO jobs_ready (queue, rank, seq, job) VALUES ('default', 0, 1, zeroblob(16));";
    sqlx::raw_sql(insert).execute(&mut connection).await.expect("stored");
    connection.close().await.expect("closed");
    let refused = open(options(&folder).prepare_schema(false)).await.expect_err("not migrated").to_string();
    assert!(refused.contains("schema version 1, version 4 is needed"), "{refused}");
    let storage = open(options(&folder)).await.expect("migrated");
    work_with_schedules(&storage, Timestamp::UNIX_EPOCH + Duration::from_secs(1)).await;
    let claim = Claim { server: ServerId::new("worker"), queues: [QueueName::DEFAULT].into(), limit: 1 };
    let claimed = storage.claim(claim).await.expect("claimed");
    assert_eq!((claimed[0].name.method(), &claimed[0].recurrence), ("old", &None));
    storage.close().await;
}

fn job(now: Timestamp, initial: Initial) -> NewJob {
    NewJob {
        recurrence: None,
        parameters: crate::job::Parameters::new(),
        id: JobId::generate(now),
        invocation: Invocation::new(JobName::new("suite", "plan"), &()).expect("JSON"),
        queue: QueueName::DEFAULT,
        priority: 0,
        max_attempts: None,
        created_at: now,
        initial,
    }
}

/// One outcome of each kind.
fn outcomes(claimed: &[ClaimedJob], at: Timestamp) -> Vec<Finish> {
    let result = serde_json::value::to_raw_value(&1).expect("JSON");
    let failure = Failure::new("suite::Error", "no route");
    let transitions = [
        Transition::new(Succeeded { result: result.clone(), duration: Duration::ZERO }, at),
        Transition::new(Succeeded { result, duration: Duration::ZERO }, at),
        Transition::new(Failed { failure }, at).attempts(Attempts::Spend),
        Transition::new(Scheduled { at }, at).attempts(Attempts::Spend),
        Transition::new(Enqueued {}, at),
    ];
    let finish = |(job, transition): (&ClaimedJob, _)| Finish { job: job.id, token: job.token, transition };
    claimed.iter().zip(transitions).map(finish).collect()
}
