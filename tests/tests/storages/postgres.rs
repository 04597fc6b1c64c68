//! What is PostgreSQL's own: its URLs and its notifications.

use jobs_runtime::{prelude::*, storage::postgres::PostgresOptions};
use jobs_tests::{Engine, in_a_place, work::Work};
use sqlx::postgres::PgListener;
use tokio::task::JoinSet;

use super::opening::open_error;

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
