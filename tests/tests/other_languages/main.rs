//! Jobs of programs in other languages: what docs/other-languages.md tells to write is written, and a server runs it.

mod elsewhere;
mod postgres;

use std::time::Duration;

use jobs_runtime::{
    clock::Clock,
    job::JobId,
    prelude::*,
    state::StateName,
    storage::{JobFilter, PageRequest, Storage},
    testing::TestClock,
};
use serde_json::Value;

use self::elsewhere::{Elsewhere, Kind};

/// The id of the page.
const ID: &str = "0198c1ac-5b2e-7d3a-9c0e-3f1b5a7d9e11";

const LONG: Duration = Duration::from_secs(30);

/// The job of the page.
#[job(name = "my_app.send_welcome", queue = "mail")]
async fn send_welcome(user_id: i64, email: String) -> String {
    format!("{email} is user {user_id}")
}

/// A server that finds work only when it is woken.
async fn server(elsewhere: &Elsewhere) -> JobServer {
    let server = JobServer::builder(elsewhere.storage.clone()).discover(false).register::<SendWelcome>();
    let server = server.queues(["mail", "default"]).queue_poll_interval(Duration::from_secs(24 * 3600));
    let server = server.start().await.expect("started");
    elsewhere.until_it_hears().await;
    server
}

/// All jobs there are, the newest first.
async fn jobs(storage: &dyn Storage) -> Vec<JobId> {
    let page = storage.jobs(&JobFilter::all(), &PageRequest::first(100)).await.expect("read");
    page.jobs.iter().map(|job| job.id).collect()
}

async fn result(elsewhere: &Elsewhere, id: JobId) -> String {
    Client::new(elsewhere.storage.clone()).handle::<String>(id).wait(LONG).await.expect("done")
}

/// Without waiting for a poll, which would be tomorrow.
async fn a_job_wakes_a_server(kind: Kind) {
    let mut elsewhere = Elsewhere::open(kind, None).await;
    let server = server(&elsewhere).await;
    elsewhere.execute("Now").await;
    let [id] = jobs(&*elsewhere.storage).await[..] else { panic!("one job") };
    assert_eq!(result(&elsewhere, id).await, "ada@example.org is user 42");
    server.shutdown(LONG).await.expect("shut down");
    elsewhere.close().await;
}

async fn a_job_of_later_waits_for_its_time(kind: Kind) {
    let clock = TestClock::at(Clock::system().now());
    let mut elsewhere = Elsewhere::open(kind, Some(clock.clock())).await;
    let server = server(&elsewhere).await;
    elsewhere.execute("Later").await;
    let [id] = jobs(&*elsewhere.storage).await[..] else { panic!("one job") };
    let details = elsewhere.storage.job(id).await.expect("read").expect("a job");
    assert_eq!((details.job.state, details.job.queue.as_str()), (StateName::Scheduled, "mail"));
    clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(result(&elsewhere, id).await, "ada@example.org is user 42");
    server.shutdown(LONG).await.expect("shut down");
    elsewhere.close().await;
}

async fn a_job_that_is_stored_twice_is_there_once_and_can_be_looked_at(kind: Kind) {
    let mut elsewhere = Elsewhere::open(kind, None).await;
    assert_eq!(elsewhere.look().await, None, "there is no such job");
    elsewhere.execute("Once").await;
    elsewhere.execute("Once").await;
    assert_eq!(elsewhere.look().await, Some(("enqueued".to_owned(), None, None)));
    assert_eq!(elsewhere.storage.counts().await.expect("counted").unfinished(), 1);
    let server = server(&elsewhere).await;
    result(&elsewhere, ID.parse().expect("an id")).await;
    // It is there still, so it does not run again.
    elsewhere.execute("Once").await;
    let (state, result, failure) = elsewhere.look().await.expect("a job");
    assert_eq!((state.as_str(), failure), ("succeeded", None));
    assert_eq!(result.as_deref(), Some(r#""ada@example.org is user 42""#));
    assert_eq!(elsewhere.storage.counts().await.expect("counted").unfinished(), 0);
    server.shutdown(LONG).await.expect("shut down");
    elsewhere.close().await;
}

async fn arguments_that_do_not_fit_are_told_with_the_member(kind: Kind) {
    let mut elsewhere = Elsewhere::open(kind, None).await;
    let server = server(&elsewhere).await;
    // In the JSON of PostgreSQL, or for the functions of the others.
    let wrong = elsewhere.block("Once").replace(r#""user_id": 42"#, r#""user_id": "forty-two""#);
    let wrong = wrong.replace("'user_id', 42", "'user_id', 'forty-two'");
    elsewhere.run(&wrong).await;
    let handle = Client::new(elsewhere.storage.clone()).handle::<String>(ID.parse().expect("an id"));
    handle.wait(LONG).await.expect_err("failed");
    let (state, result, failure) = elsewhere.look().await.expect("a job");
    assert_eq!((state.as_str(), result), ("failed", None));
    let failure: Value = serde_json::from_str(&failure.expect("a failure")).expect("JSON");
    assert!(failure["message"].as_str().is_some_and(|message| message.contains("at `user_id`")), "{failure}");
    server.shutdown(LONG).await.expect("shut down");
    elsewhere.close().await;
}

/// Pages of lists of all jobs go by id.
async fn jobs_are_listed_in_the_order_of_their_making(kind: Kind) {
    let mut elsewhere = Elsewhere::open(kind, None).await;
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        elsewhere.execute("Now").await;
        let made = jobs(&*elsewhere.storage).await;
        let [newest] = made.iter().filter(|id| !newest_first.contains(*id)).collect::<Vec<_>>()[..] else {
            panic!("one is new: {made:?}")
        };
        newest_first.insert(0, *newest);
        // Ids of one millisecond are in any order.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(jobs(&*elsewhere.storage).await, newest_first);
    elsewhere.close().await;
}

macro_rules! for_each_database {
    ($($database:ident: $kind:ident),*; $cases:tt) => {
        $( mod $database { for_each_database! { @cases $kind; $cases } } )*
    };
    (@cases $kind:ident; { $($case:ident)* }) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                crate::$case(crate::Kind::$kind).await;
            }
        )*
    };
}

mod pages {
    for_each_database! {
        postgres: Postgres, pgbouncer: PgBouncer, mysql: MySql, sqlite: Sqlite;
        {
            a_job_wakes_a_server
            a_job_of_later_waits_for_its_time
            a_job_that_is_stored_twice_is_there_once_and_can_be_looked_at
            arguments_that_do_not_fit_are_told_with_the_member
            jobs_are_listed_in_the_order_of_their_making
        }
    }
}
