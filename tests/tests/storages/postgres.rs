//! What is PostgreSQL's own: its URLs and its notifications.

use std::time::Duration;

use jobs_runtime::{
    prelude::*,
    state::{Scheduled, StateName, StateSet, Transition},
    storage::{Change, Topic, postgres::PostgresOptions},
};
use jobs_tests::{Engine, Proxy, in_a_place, on_a_private_server, work::Work};
use sqlx::postgres::PgListener;
use tokio::task::JoinSet;

use super::{opening::open_error, pgbouncer::until_it_hears};

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
}

/// Each notification takes a lock that all commits of the database need, which elsewhere cost four fifths of the
/// throughput. Here those that come together are told together.
#[test]
fn many_commits_are_notified_together() {
    const TASKS: u64 = 16;
    const EACH: u64 = 125;
    in_a_place(Engine::Postgres, async |place| {
        let client = Client::new(place.open().await);
        let mut listener = PgListener::connect(&place.database.to_string()).await.expect("connected");
        let channel = format!("jobs_{}", place.name);
        listener.listen(&channel).await.expect("listening");
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let client = client.clone();
            tasks.spawn(async move {
                for n in 0..EACH {
                    client.enqueue(Work::new(n)).await.expect("stored");
                }
            });
        }
        tasks.join_all().await;
        place.sql().await.run(&format!("NOTIFY {channel}, 'the end'")).await;
        let mut notifications = 0;
        while listener.recv().await.expect("connected").payload() != "the end" {
            notifications += 1;
        }
        println!("{notifications} notifications of {} commits", TASKS * EACH);
        assert!((1..TASKS * EACH / 4).contains(&notifications), "{notifications}");
    });
}

#[test]
fn no_password_is_shown_to_who_prints_a_storage() {
    in_a_place(Engine::Postgres, async |place| {
        let options = PostgresOptions::from_url(&place.url.to_string()).expect("a URL");
        let options = options.listen_url("postgres://ada:open-sesame@127.0.0.1:1/nowhere").expect("a URL");
        let storage = options.clone().open().await.expect("opened");
        for text in [format!("{options:?}"), format!("{storage:?}")] {
            assert!(text.contains(&place.name) && !text.contains("sesame"), "{text}");
        }
        storage.close().await;
    });
}

/// It waits for the next notification, because one was just sent.
#[test]
fn what_was_stored_last_is_told_when_the_storage_is_closed() {
    in_a_place(Engine::Postgres, async |place| {
        let listening = place.open().await;
        until_it_hears(&*listening).await;
        for n in 0..10 {
            let storing = place.open().await;
            let client = Client::new(storing.clone());
            let mut scheduled = listening.signals().subscribe(Topic::Scheduled);
            client.enqueue(Work::new(n)).await.expect("stored");
            Work::enqueue(n).delay(HOUR).with(&client).await.expect("stored");
            storing.close().await;
            tokio::time::timeout(TEN_SECONDS, scheduled.changed()).await.expect("told");
        }
        listening.close().await;
    });
}

/// Something on the way drops what it is sent, and nobody closes anything.
#[test]
fn a_connection_that_listens_and_was_forgotten_is_opened_again() {
    in_a_place(Engine::Postgres, async |place| {
        let proxy = Proxy::start(Engine::Postgres, &place.database).await;
        let options = PostgresOptions::from_url(&place.url.to_string()).expect("a URL");
        let options = options.listen_url(&proxy.url(&place.database).to_string()).expect("a URL");
        let listening = options.open().await.expect("opened");
        until_it_hears(&*listening).await;
        let mut ready = listening.signals().subscribe(Topic::Ready);
        proxy.stall_the_connected();
        // It may have missed something, so everyone is woken when it listens again.
        tokio::time::timeout(6 * TEN_SECONDS, ready.changed()).await.expect("it listens again");
        until_it_hears(&*listening).await;
        listening.close().await;
    });
}

const TEN_SECONDS: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

mod private_server {
    use super::*;

    /// Each such wait takes a second until the database ends it, and then one of them begins again.
    #[test]
    fn batches_and_promotions_do_not_wait_for_each_other() {
        on_a_private_server(Engine::Postgres, async |server| {
            let place = server.place();
            let storage = place.open().await;
            let handles = Client::new(storage.clone())
                .enqueue_all((0..60).map(|n| Work::enqueue(n).delay(HOUR)))
                .await
                .expect("stored");
            let mut moving = JoinSet::new();
            for mover in 0..4 {
                let (storage, mut ids) = (storage.clone(), handles.iter().map(|job| job.id()).collect::<Vec<_>>());
                if mover % 2 == 1 {
                    ids.reverse();
                }
                moving.spawn(async move {
                    for _ in 0..30 {
                        let now = storage.clock().now();
                        let put_off = |job| {
                            let transition = Transition::new(Scheduled { at: now }, now);
                            Change { job, from: StateSet::of(&[StateName::Scheduled, StateName::Enqueued]), transition }
                        };
                        storage.change(ids.iter().copied().map(put_off).collect()).await.expect("changed");
                        storage.promote(100).await.expect("promoted");
                    }
                });
            }
            moving.join_all().await;
            // A connection tells what it counted when it ends.
            storage.close().await;
            let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
            assert_eq!(place.sql().await.number(deadlocks).await, 0);
        });
    }
}
