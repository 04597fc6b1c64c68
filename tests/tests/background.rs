//! Background processes of the application's own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jobs_runtime::{prelude::*, server::BackgroundContext};
use jobs_tests::on_each_storage;
use tokio::sync::Semaphore;

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[job]
async fn greet(name: String) {
    println!("hello {name}");
}

on_each_storage! {
    async fn a_process_enqueues_jobs_and_ends_with_the_server(world: World) {
        let ended = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&ended);
        let process = move |cx: BackgroundContext| {
            let count = Arc::clone(&count);
            async move {
                assert_eq!((cx.name(), cx.data::<u32>().as_deref()), ("greeter", Some(&7)));
                Greet::enqueue("Ada").await?;
                while cx.wait(Duration::from_secs(3600)).await {}
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        };
        let server = world.server().register::<Greet>().data(7_u32).background("greeter", process);
        let server = server.start().await.expect("started");
        let succeeded = async || world.storage.totals().await.expect("read").succeeded;
        while succeeded().await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert_eq!((ended.load(Ordering::SeqCst), succeeded().await), (1, 1));
    }
}

fn server() -> jobs_runtime::server::JobServerBuilder {
    let storage = jobs_runtime::storage::memory::MemoryOptions::new().open();
    JobServer::builder(storage).discover(false)
}

#[tokio::test]
async fn a_process_that_fails_or_panics_is_started_again_and_seen_in_the_health() {
    let (runs, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (count, open) = (Arc::clone(&runs), Arc::clone(&gate));
    let process = move |cx: BackgroundContext| {
        let (run, open) = (count.fetch_add(1, Ordering::SeqCst), Arc::clone(&open));
        async move {
            match run {
                0 => return Err("the first time".into()),
                1 => panic!("the second time"),
                _ => open.acquire().await?.forget(),
            }
            while cx.wait(Duration::from_millis(1)).await {}
            Ok(())
        }
    };
    let server = server().background("stumbler", process).start().await.expect("started");
    while runs.load(Ordering::SeqCst) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let health = &server.health().processes["stumbler"];
    assert_eq!((health.failing, health.failures, health.last_error.as_str()), (true, 2, "it panicked"));
    gate.add_permits(1);
    while !server.health().is_healthy() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.shutdown(TEN_SECONDS).await.expect("shut down");
}

#[tokio::test]
async fn a_process_that_does_not_end_is_dropped_when_the_time_is_up() {
    struct Guard(Arc<AtomicU32>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicU32::new(0));
    for ends_with_the_server in [true, false] {
        let (count, started) = (Arc::clone(&dropped), Arc::new(Semaphore::new(0)));
        let begun = Arc::clone(&started);
        let process = move |_: BackgroundContext| {
            let guard = Guard(Arc::clone(&count));
            begun.add_permits(1);
            async move {
                let _guard = guard;
                std::future::pending().await
            }
        };
        let server = server().background("stubborn", process).start().await.expect("started");
        started.acquire().await.expect("open").forget();
        if ends_with_the_server {
            server.shutdown(Duration::from_millis(10)).await.expect("shut down");
        } else {
            drop(server);
        }
        while dropped.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        dropped.store(0, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn names_that_are_taken_are_told_at_the_start() {
    let forever = |_: BackgroundContext| std::future::pending();
    let server = server().background("rescue", forever).background("mine", forever).background("mine", forever);
    let error = server.start().await.expect_err("two problems").to_string();
    assert!(error.contains("`.background(\"rescue\", …)`: a process of the server has this name"), "{error}");
    assert!(error.contains("`.background(\"mine\", …)` is there twice"), "{error}");
}
