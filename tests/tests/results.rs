//! Results that are longer than a server or a storage takes: their jobs fail, and no other waits for them.

use std::time::Duration;

use jobs_runtime::{
    client::{JobHandle, WaitError},
    prelude::*,
    state::StateName,
};
use jobs_tests::{Faulty, PrivateServer, on_each_private_server, on_each_storage};

const TEN_SECONDS: Duration = Duration::from_secs(10);
const KIB: usize = 1024;

/// Returns so many letters.
#[job]
async fn repeat(letter: String, times: usize) -> String {
    letter.repeat(times)
}

/// Fails with a character that PostgreSQL can't store in a text.
#[job(retry(attempts = 1, fixed = "1h"))]
async fn fail_with_a_zero(permanently: bool) -> Result<(), JobError> {
    Err(if permanently { JobError::cancel("a\0b".repeat(30_000)) } else { JobError::new("a\0b") })
}

async fn error_of(job: &JobHandle<String>) -> String {
    let error = job.wait(TEN_SECONDS).await.expect_err("failed");
    let WaitError::Failed { .. } = error else { panic!("{error:?}") };
    error.to_string()
}

on_each_storage! {
    async fn a_result_over_the_limit_fails_its_job(world: World) {
        let server = world.server().register::<Repeat>().max_result(100 * KIB).start().await.expect("started");
        let long = Repeat::enqueue("x", 100 * KIB - 1).await.expect("stored");
        let longest = Repeat::enqueue("x", 100 * KIB - 2).await.expect("stored");
        assert_eq!(longest.wait(TEN_SECONDS).await.expect("done").len(), 100 * KIB - 2);
        let error = error_of(&long).await;
        assert!(error.contains("102401 bytes of JSON, more than the limit of 102400"), "{error}");
        let details = world.details(&long).await;
        let failed = details.history.last().expect("history");
        assert!(failed.data["error_type"].as_str().expect("a type").ends_with("ResultTooLarge"), "{failed:?}");
        assert_eq!(world.times(&long, StateName::Processing).await, 1, "it is not retried");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // The same call was repeated for ever, and no outcome of any job was recorded any more.
    async fn an_outcome_that_the_storage_refuses_fails_its_job_and_holds_up_no_other(world: World) {
        let faulty = Faulty::new(world.storage.clone(), 3);
        faulty.refuse_results_over(1_000);
        let handles = world.client
            .enqueue_all((0..200).map(|n| Repeat::new("x", if n % 50 == 7 { 1_000 } else { n })))
            .await
            .expect("stored");
        let server = JobServer::builder(faulty.clone()).discover(false).register::<Repeat>().workers(8);
        let server = server.start().await.expect("started");
        for (n, handle) in handles.iter().enumerate() {
            if n % 50 == 7 {
                let error = error_of(handle).await;
                assert!(error.contains("can't be stored") && error.contains("more than 1000 bytes"), "{error}");
            } else {
                assert_eq!(handle.wait(TEN_SECONDS).await.expect("done").len(), n);
            }
        }
        let totals = world.storage.totals().await.expect("read");
        assert_eq!((totals.succeeded, totals.failed), (196, 4));
        assert!(server.health().is_healthy(), "{:?}", server.health());
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn zero_characters_in_results_and_errors_are_recorded(world: World) {
        let server = world.server().register::<Repeat>().register::<FailWithAZero>().start().await.expect("started");
        let zeros = Repeat::enqueue("\0", 3).await.expect("stored");
        let failing = FailWithAZero::enqueue(false).await.expect("stored");
        let canceled = FailWithAZero::enqueue(true).await.expect("stored");
        world.until(&failing, StateName::Scheduled).await;
        world.until(&canceled, StateName::Deleted).await;
        assert_eq!(zeros.wait(TEN_SECONDS).await.expect("done"), "\0\0\0");
        let last = Repeat::enqueue("x", 3).await.expect("stored");
        assert_eq!(last.wait(TEN_SECONDS).await.expect("done"), "xxx");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}

mod packets {
    use jobs_tests::Engine;

    use super::*;

    on_each_private_server! {
        // Their statement was larger than a packet; MySQL ended the connection, and the server tried the same again.
        async fn results_of_more_than_a_packet_fail_their_jobs_and_hold_up_no_other(server: PrivateServer) {
            let place = server.place();
            if place.engine == Engine::MySql {
                place.sql().await.run("SET GLOBAL max_allowed_packet = 1048576").await;
            }
            let storage = place.open().await;
            let client = Client::new(storage.clone());
            let sizes: Vec<usize> = (0..40).map(|n| if n % 10 == 3 { 1_500 * KIB } else { 300 * KIB }).collect();
            let jobs = client.enqueue_all(sizes.iter().map(|size| Repeat::new("x", *size))).await.expect("stored");
            let server = JobServer::builder(storage.clone()).discover(false).register::<Repeat>().workers(8);
            let server = server.max_result(64 * KIB * KIB).start().await.expect("started");
            for (job, size) in jobs.iter().zip(sizes) {
                if size > KIB * KIB && place.engine == Engine::MySql {
                    let error = error_of(job).await;
                    assert!(error.contains("can't be stored") && error.contains("max_allowed_packet"), "{error}");
                } else {
                    assert_eq!(job.wait(TEN_SECONDS).await.expect("done").len(), size);
                }
            }
            server.shutdown(TEN_SECONDS).await.expect("shut down");
            storage.close().await;
        }

        // As many as are gathered from callers that come at once.
        async fn new_jobs_of_more_than_a_packet_are_stored_and_one_that_is_longer_is_refused(server: PrivateServer) {
            let place = server.place();
            if place.engine == Engine::MySql {
                place.sql().await.run("SET GLOBAL max_allowed_packet = 1048576").await;
            }
            let storage = place.open().await;
            let client = Client::new(storage.clone()).with_max_payload(64 * KIB * KIB);
            let all: Vec<_> = (0..30).map(|n| {
                let letters = if n == 11 { 1_500 * KIB } else { 300 * KIB };
                tokio::spawn(Repeat::enqueue("x".repeat(letters), 1).with(&client).into_future())
            }).collect();
            for (n, stored) in all.into_iter().enumerate() {
                match stored.await.expect("a task") {
                    Ok(_) => assert!(n != 11 || place.engine == Engine::Postgres),
                    Err(error) => {
                        assert!(n == 11 && error.to_string().contains("max_allowed_packet"), "{n}: {error}");
                    }
                }
            }
            storage.close().await;
        }
    }
}
