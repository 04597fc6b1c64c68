//! Bad lines to a database server: connections that end, replies that are lost, and what stalls.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jobs_runtime::{
    client::JobHandle,
    job::{Invocation, JobName},
    prelude::*,
    server::JobServerBuilder,
    state::StateName,
    storage::{Storage, StorageError, connect},
};
use jobs_tests::{Engine, Place, Proxy, keep_log, logged, on_each_engine, work::Work};

use super::{
    processes::{all_details, all_done_once},
    verbs::{VERBS, ask},
};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// A server whose heartbeat soon tells it of claims whose reply was lost.
fn server(storage: &Arc<dyn Storage>) -> JobServerBuilder {
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().workers(5);
    server.heartbeat_interval(Duration::from_millis(200)).server_timeout(Duration::from_secs(3))
}

on_each_engine! {
    // Elsewhere (apalis) connections that were gone for 100 ms ended the worker and stranded its jobs.
    async fn connections_that_the_server_ends_lose_nothing(place: Place) {
        let storage = place.open().await;
        let client = Client::new(storage.clone());
        let server = server(&storage).start().await.expect("started");
        let (mut handles, mut ended) = (Vec::new(), 0);
        for round in 0..10 {
            for n in 0..50 {
                handles.push(Work::enqueue(round * 50 + n).with(&client).await.expect("stored"));
            }
            ended += place.end_connections().await;
        }
        println!("{ended} connections were ended");
        assert!(ended >= 10, "{ended}");
        all_done_once(&place.open().await, &handles).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        storage.close().await;
    }

    // The reply to the commit is lost. The client can't know that the job is stored, and asks again.
    async fn a_job_whose_reply_was_lost_is_stored_and_run_once(place: Place) {
        let direct = place.open().await;
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = connect(&proxy.url(&place.url).to_string()).await.expect("opened");
        let client = Client::new(storage.clone());
        // The first has the connection made and the statements prepared.
        let mut handles = vec![client.enqueue(Work::new(1)).await.expect("stored")];
        for n in 700_000_002..700_000_005 {
            let marker = n.to_string();
            let commit = match place.engine {
                Engine::MySql => vec![marker.as_str(), "COMMIT"],
                Engine::Postgres => vec![marker.as_str()],
            };
            let held = proxy.hold_the_reply_to(&commit);
            let id = JobId::generate(storage.clock().now());
            let enqueuing = tokio::spawn(Work::enqueue(n).id(id).with(&client).into_future());
            tokio::time::timeout(TEN_SECONDS, held).await.expect("asked");
            assert!(direct.job(id).await.expect("read").is_some(), "the reply was held back before the commit");
            assert!(!enqueuing.is_finished());
            proxy.cut();
            let handle: JobHandle<u64> = enqueuing.await.expect("a task").expect("stored");
            assert_eq!(handle.id(), id);
            handles.push(handle);
        }
        assert_eq!(direct.counts().await.expect("counted").of(StateName::Enqueued).value, 4);
        let server = server(&direct).start().await.expect("started");
        all_done_once(&direct, &handles).await;
        for details in all_details(&direct, handles.iter().map(JobHandle::id)).await {
            assert_eq!((details.job.attempts, details.history.len()), (1, 3), "{details:#?}");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // It is not the jobs' fault: who asks need not ask again.
    async fn new_jobs_whose_connection_broke_are_stored_by_another(place: Place) {
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = connect(&proxy.url(&place.url).to_string()).await.expect("opened");
        let client = Client::new(storage.clone());
        let new = |n: u64| {
            let invocation = Invocation::new(JobName::new("suite", "broken"), &[n]).expect("JSON");
            client.prepare(invocation).expect("prepared")
        };
        storage.enqueue(vec![new(1)]).await.expect("stored");
        let marker = 700_000_001;
        let text = marker.to_string();
        let held = proxy.hold_the_reply_to(&[text.as_str()]);
        let job = new(marker);
        let (id, asked) = (job.id, storage.clone());
        let enqueuing = tokio::spawn(async move { asked.enqueue(vec![job]).await });
        tokio::time::timeout(TEN_SECONDS, held).await.expect("asked");
        proxy.cut();
        enqueuing.await.expect("a task").expect("stored");
        assert!(storage.job(id).await.expect("read").is_some());
        assert_eq!(storage.counts().await.expect("counted").of(StateName::Enqueued).value, 2);
    }

    // Claims, outcomes, heartbeats: whatever is under way, before it reached the database, or when it was carried out.
    async fn a_server_whose_connections_are_cut_anywhere_loses_nothing(place: Place) {
        let direct = place.open().await;
        let client = Client::new(direct.clone());
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = connect(&proxy.url(&place.url).to_string()).await.expect("opened");
        let server = server(&storage).start().await.expect("started");
        proxy.cut_one_in(40);
        let mut handles = Vec::new();
        for n in 0..40 {
            handles.extend(client.enqueue_all((n * 20..(n + 1) * 20).map(Work::new)).await.expect("stored"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        proxy.cut_one_in(0);
        println!("{} connections were cut", proxy.cuts());
        assert!(proxy.cuts() >= 10, "{}", proxy.cuts());
        all_done_once(&direct, &handles).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (River #1255, #1251) one stalled call without a time limit hung fetching for ever.
    async fn every_call_to_a_stalled_database_ends_in_time(place: Place) {
        let job = Client::new(place.open().await).enqueue(Work::new(1)).await.expect("stored").id();
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = impatient(&place, &proxy).await;
        answers(&storage, job).await;
        proxy.stall();
        let asked = VERBS.map(|verb| {
            let storage = storage.clone();
            tokio::spawn(async move { tokio::time::timeout(TEN_SECONDS, ask(verb, &storage, job)).await })
        });
        for (verb, asked) in VERBS.into_iter().zip(asked) {
            let error = asked.await.expect("a task").expect(verb).expect_err(verb);
            let StorageError::Timeout { operation, limit, .. } = error else { panic!("{verb}: {error}") };
            assert_eq!((operation, limit), (verb, LIMIT));
        }
        proxy.pass();
        answers(&storage, job).await;
    }

    // As after a fail-over behind a balancer: nobody closes the old connections, and nobody answers on them.
    async fn connections_that_stall_for_ever_are_given_up(place: Place) {
        let job = Client::new(place.open().await).enqueue(Work::new(1)).await.expect("stored").id();
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = impatient(&place, &proxy).await;
        answers(&storage, job).await;
        proxy.stall_the_connected();
        answers(&storage, job).await;
        // And such that were idle for so long that they are looked at before they are used.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        proxy.stall_the_connected();
        answers(&storage, job).await;
    }

    // Each had lost its place among the handlers' connections for ever.
    async fn transactions_that_stall_for_ever_make_room_for_others(place: Place) {
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = impatient(&place, &proxy).await;
        for _ in 0..2 {
            let mut begun = Vec::new();
            for _ in 0..3 {
                begun.push(storage.begin_transaction().await.expect("begun"));
            }
            proxy.stall_the_connected();
            drop(begun);
            let mut tries = 0;
            while let Err(error) = storage.begin_transaction().await {
                tries += 1;
                assert!(tries < 30, "{error}");
            }
        }
    }

    // Its health says so, each process logs it once, and the work goes on by itself.
    async fn a_server_tells_of_a_stalled_database_and_goes_on(place: Place) {
        keep_log();
        let direct = place.open().await;
        let client = Client::new(direct.clone());
        let mut handles = vec![client.enqueue(Work::new(0)).await.expect("stored")];
        let proxy = Proxy::start(place.engine, &place.database).await;
        let storage = impatient(&place, &proxy).await;
        answers(&storage, handles[0].id()).await;
        let server = server(&storage).queue_poll_interval(Duration::from_millis(100)).start().await.expect("started");
        handles[0].wait(TEN_SECONDS).await.expect("done");
        until("it is well", || server.health().is_healthy()).await;
        let failures = |process| server.health().processes.get(process).map_or(0, |process| process.failures);
        let (before, logged_before) = (failures("dispatcher"), dispatcher_failed(&place).len());
        proxy.stall();
        handles.extend(client.enqueue_all((1..100).map(Work::new)).await.expect("stored"));
        until("it fails", || failures("dispatcher") >= before + 2 && failures("heartbeat") > 0).await;
        let health = server.health();
        let dispatcher = &health.processes["dispatcher"];
        assert!(dispatcher.failing && !health.is_healthy());
        let error = format!("did not answer `claim` within {LIMIT:?}");
        assert!(dispatcher.last_error.contains(&error) && dispatcher.last_error.contains(&place.name), "{health:?}");
        assert_eq!(dispatcher_failed(&place).len(), logged_before + 1, "{:#?}", dispatcher_failed(&place));
        proxy.pass();
        all_done_once(&direct, &handles).await;
        until("it is well again", || server.health().is_healthy()).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}

/// How long a verb may take where a database stalls. A busy machine may need so long too.
const LIMIT: Duration = Duration::from_secs(1);

/// A storage that does not wait for long, with few connections.
async fn impatient(place: &Place, proxy: &Proxy) -> Arc<dyn Storage> {
    let url = proxy.url(&place.url).with("max_connections", "3");
    place.engine.open(&url, LIMIT).await.expect("opened")
}

/// Waits until every verb works, all at once and several times: then there is no connection that does not.
async fn answers(storage: &Arc<dyn Storage>, job: JobId) {
    let began = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < 3 {
        let asked = VERBS.map(|verb| {
            let storage = storage.clone();
            tokio::spawn(async move { ask(verb, &storage, job).await.map_err(|error| format!("{verb}: {error}")) })
        });
        let mut errors = Vec::new();
        for asked in asked {
            errors.extend(asked.await.expect("a task").err());
        }
        in_a_row = if errors.is_empty() { in_a_row + 1 } else { 0 };
        assert!(began.elapsed() < TEN_SECONDS * 3, "{errors:#?}");
    }
    println!("every verb worked after {:?}", began.elapsed());
}

fn dispatcher_failed(place: &Place) -> Vec<String> {
    logged(&["a background process failed", "dispatcher", &place.name])
}

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to pass that {what}");
}
