//! What a database server refuses, and what is told of it.

use std::{sync::Arc, time::Duration};

use jobs_runtime::{
    prelude::*,
    storage::{Storage, StorageError, connect},
};
use jobs_tests::{Engine, Place, PrivateServer, Sql, Url, on_each_private_server, work::Work};

use super::{opening::open_error, processes::all_done_once};

const TEN_SECONDS: Duration = Duration::from_secs(10);

on_each_private_server! {
    async fn who_gives_a_wrong_password_is_told_to_check_it(server: PrivateServer) {
        let place = server.place();
        let _ada = user(&place, "").await;
        for url in [place.url.clone().login("ada", "wr0ng"), place.url.clone().login("nobody", "wr0ng")] {
            let error = open_error(&url).await;
            assert!(error.contains("user or password are refused; check them in the URL"), "{error}");
            assert!(error.contains(place.url.place()) && !error.contains("wr0ng"), "{error}");
        }
    }

    // And what is advised works: another user migrates, and this one may do no more than read and write rows.
    async fn who_may_not_make_tables_is_told_what_to_do(server: PrivateServer) {
        let place = server.place();
        let rights = match place.engine {
            Engine::MySql => "GRANT SELECT ON jobs_test.* TO 'ada'@'127.0.0.1'",
            Engine::Postgres => "REVOKE CREATE ON DATABASE jobs_test FROM ada",
        };
        let ada = user(&place, rights).await;
        let error = open_error(&ada).await;
        assert!(error.contains("this user may not make") && error.contains("prepare_schema=false"), "{error}");
        assert!(error.contains(place.url.place()) && !error.contains("s3cret"), "{error}");
        place.open().await.close().await;
        place.sql().await.run(match place.engine {
            Engine::MySql => "GRANT SELECT, INSERT, UPDATE, DELETE ON jobs_test.* TO 'ada'@'127.0.0.1'",
            Engine::Postgres => "GRANT USAGE ON SCHEMA jobs TO ada;
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO ada;
                GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO ada",
        }).await;
        let storage = connect(&ada.with("prepare_schema", "false").to_string()).await.expect("opened");
        let client = Client::new(storage.clone());
        let jobs = server_of(&storage).await;
        let handles = client.enqueue_all((0..50).map(Work::new)).await.expect("stored");
        all_done_once(&storage, &handles).await;
        jobs.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // While it is gone every call tells which storage does not answer, and the server's health which of its processes
    // fail; and when it comes back everything goes on by itself.
    async fn a_database_that_goes_away_is_told_and_may_come_back(server: PrivateServer) {
        let place = server.place();
        let rights = match place.engine {
            Engine::MySql => "GRANT ALL ON jobs_test.* TO 'ada'@'127.0.0.1'",
            Engine::Postgres => "GRANT CREATE ON DATABASE jobs_test TO ada",
        };
        let storage = place.engine.open(&user(&place, rights).await, Duration::from_secs(3)).await.expect("opened");
        let client = Client::new(storage.clone());
        let jobs = server_of(&storage).await;
        let mut handles = vec![client.enqueue(Work::new(0)).await.expect("stored")];
        handles[0].wait(TEN_SECONDS).await.expect("done");
        server.stop().await;
        let error = storage.counts().await.expect_err("gone");
        let told = error.to_string();
        assert!(matches!(error, StorageError::Timeout { .. } | StorageError::Failed { .. }), "{error:?}");
        assert!(told.contains("ada:***@") && told.contains(place.url.place()) && !told.contains("s3cret"), "{told}");
        let told = storage.counts().await.expect_err("gone").to_string();
        assert!(told.contains("the server can't be reached") && told.contains("check host and port"), "{told}");
        assert!(told.contains("ada:***@") && told.contains(place.url.place()) && !told.contains("s3cret"), "{told}");
        while jobs.health().is_healthy() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("{told}\n{:#?}", jobs.health());
        server.start().await;
        while !jobs.health().is_healthy() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        handles.extend(client.enqueue_all((2..50).map(Work::new)).await.expect("stored"));
        all_done_once(&storage, &handles).await;
        jobs.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}

async fn server_of(storage: &Arc<dyn Storage>) -> JobServer {
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>();
    server.heartbeat_interval(Duration::from_millis(200)).server_timeout(TEN_SECONDS).start().await.expect("started")
}

/// A user of a private server, and the storage's URL for it.
async fn user(place: &Place, rights: &str) -> Url {
    let mut sql: Sql = place.sql().await;
    sql.run(match place.engine {
        Engine::MySql => "CREATE USER 'ada'@'127.0.0.1' IDENTIFIED BY 's3cret'",
        Engine::Postgres => "CREATE ROLE ada LOGIN PASSWORD 's3cret'",
    })
    .await;
    if !rights.is_empty() {
        sql.run(rights).await;
    }
    place.url.clone().login("ada", "s3cret")
}
