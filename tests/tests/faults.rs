//! A storage that fails: nothing is lost, nothing is recorded twice, and the server goes on.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use jobs_runtime::{prelude::*, state::StateName, storage::JobFilter};
use jobs_tests::{Faulty, World, on_each_storage};
use tokio::sync::Semaphore;

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[job(retry(attempts = 3, fixed = "1ms"))]
async fn count(runs: Data<AtomicU32>, n: u32) -> Result<u32, String> {
    runs.fetch_add(1, Ordering::Relaxed);
    if n.is_multiple_of(10) { Err("every tenth fails".to_owned()) } else { Ok(n) }
}

async fn until_unfinished(world: &World, left: u64) {
    for _ in 0..10_000 {
        world.clock.advance(Duration::from_millis(500));
        if world.storage.counts().await.expect("counted").unfinished() == left {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{:?}", world.storage.counts().await);
}

on_each_storage! {
    // Elsewhere (apalis) a connection that was gone for 100 ms ended the worker and stranded its jobs.
    async fn a_server_survives_a_storage_that_is_down(world: World) {
        let faulty = Faulty::new(world.storage.clone(), 1);
        let runs = Data::new(AtomicU32::new(0));
        let server = JobServer::builder(faulty.clone()).discover(false).register::<Count>().shared_data(runs)
            .start().await.expect("started");
        Count::enqueue(1).await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        faulty.set_down(true);
        let job = Count::enqueue(2).await.expect("stored by another handle");
        for _ in 0..1_000 {
            if !server.health().is_healthy() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let health = server.health();
        assert!(!health.is_healthy());
        assert!(health.processes["dispatcher"].last_error.contains("the line is bad"), "{health:?}");
        faulty.set_down(false);
        until_unfinished(&world, 0).await;
        assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (asynq #1051, #1144) acknowledgements that failed were dropped, and jobs stayed active for ever.
    async fn outcomes_are_kept_until_they_are_recorded(world: World) {
        let faulty = Faulty::new(world.storage.clone(), 2);
        let (runs, gate) = (Data::new(AtomicU32::new(0)), Data::new(Semaphore::new(0)));
        let server = JobServer::builder(faulty.clone()).discover(false).register::<Gated>().register::<Count>()
            .shared_data(gate.clone()).shared_data(runs).start().await.expect("started");
        let job = Gated::enqueue().await.expect("stored");
        world.until(&job, StateName::Processing).await;
        faulty.set_down(true);
        gate.add_permits(1);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.details(&job).await.job.state, StateName::Processing);
        faulty.set_down(false);
        job.wait(TEN_SECONDS).await.expect("done");
        assert_eq!(world.times(&job, StateName::Processing).await, 1, "it is recorded, not run again");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (Oban Pro 1.3.2) a bug in the grouping of acknowledgements orphaned almost all jobs. Storms of
    // faults, each half of them after the call was carried out, and shutdowns at any point: what matters is that
    // every job ends once, and that nothing is left.
    async fn storms_of_faults_and_shutdowns_lose_nothing_and_record_nothing_twice(world: World) {
        for seed in 1..=6 {
            let faulty = Faulty::new(world.storage.clone(), seed);
            let runs = Data::new(AtomicU32::new(0));
            let jobs = 60;
            let handles = world.client.enqueue_all((0..jobs).map(Count::new)).await.expect("stored");
            for round in 0..4 {
                let server = JobServer::builder(faulty.clone()).discover(false).register::<Count>().workers(5)
                    .shared_data(runs.clone()).start().await.expect("started");
                faulty.fail_percent(30);
                for _ in 0..=(seed * 7 + round * 3) % 20 {
                    world.clock.advance(Duration::from_millis(1));
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                // On this line it may fail to take its leave.
                let _ = server.shutdown(TEN_SECONDS).await;
                faulty.fail_percent(0);
            }
            let server = JobServer::builder(faulty.clone()).discover(false).register::<Count>()
                .shared_data(runs.clone()).start().await.expect("started");
            until_unfinished(&world, 0).await;
            server.shutdown(TEN_SECONDS).await.expect("shut down");
            for (n, handle) in (0..).zip(&handles) {
                let details = world.details(handle).await;
                let ends = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).count();
                if n % 10 == 0 {
                    assert_eq!((details.job.state, ends), (StateName::Failed, 0), "{details:#?}");
                } else {
                    assert_eq!((details.job.state, ends), (StateName::Succeeded, 1), "{details:#?}");
                }
            }
            let totals = world.storage.totals().await.expect("read");
            assert_eq!((totals.succeeded, totals.failed), (54 * seed, 6 * seed));
        }
        let page = jobs_runtime::storage::PageRequest::first(1);
        let filter = JobFilter::state(StateName::Processing);
        assert!(world.storage.jobs(&filter, &page).await.expect("read").jobs.is_empty());
    }
}

#[job]
async fn gated(gate: Data<Semaphore>) -> Result<(), String> {
    gate.acquire().await.map(|permit| permit.forget()).map_err(|error| error.to_string())
}
