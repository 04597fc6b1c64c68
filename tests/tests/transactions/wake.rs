//! Who waits for jobs is woken when the transaction is committed. The servers here don't look by themselves.

use std::time::Duration;

use jobs_runtime::prelude::*;

use super::site::run;
use crate::TEN_SECONDS;

#[job]
async fn echo(n: i64) -> i64 {
    n
}

#[test]
fn a_commit_wakes_the_process_that_stored_the_job() {
    run(async |site| {
        let server = site.server().register::<Echo>().start().await.expect("started");
        Echo::enqueue(0).await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        for n in 1..=3 {
            let mut tx = site.begin().await;
            let job = Echo::enqueue(n).in_tx(&mut tx).await.expect("stored");
            // Longer than it takes to look once and again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(!site.is_there(&job).await);
            tx.commit().await.expect("committed");
            assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), n);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn a_commit_wakes_other_processes() {
    run(async |site| {
        let server = site.other_server().register::<Echo>().start().await.expect("started");
        Echo::enqueue(0).await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        let mut tx = site.begin().await;
        let jobs = site.world.client.enqueue_all_in(&mut tx, (0..20).map(Echo::new)).await.expect("stored");
        tx.commit().await.expect("committed");
        for (n, job) in (0..).zip(jobs) {
            assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), n);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// It would else sleep until the delayed job that it knows of is due.
#[test]
fn a_commit_wakes_who_waits_for_delayed_jobs() {
    run(async |site| {
        let hour = Duration::from_secs(3600);
        let server = site.server().schedule_poll_interval(hour * 24).register::<Echo>().start().await.expect("started");
        let far = Echo::enqueue(0).delay(hour * 10).await.expect("stored");
        Echo::enqueue(1).await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        let mut tx = site.begin().await;
        let near = Echo::enqueue(2).delay(hour).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");
        let mut ended = near.wait(Duration::ZERO).await;
        for _ in 0..200 {
            if ended.is_ok() {
                break;
            }
            // Whoever waits has looked what the clock shows, or will be woken by this.
            site.world.clock.advance(Duration::from_secs(60));
            ended = near.wait(Duration::from_millis(50)).await;
        }
        assert_eq!(ended.expect("done"), 2);
        assert!(far.wait(Duration::ZERO).await.is_err(), "it is not its time yet");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// And with it what waits for the end of a job.
#[test]
fn a_released_job_is_run() {
    run(async |site| {
        let server = site.server().register::<Echo>().start().await.expect("started");
        let parent = Echo::enqueue(1).await.expect("stored");
        parent.wait(TEN_SECONDS).await.expect("done");
        let mut tx = site.begin().await;
        let child = Echo::enqueue(2).after(&parent).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");
        assert_eq!(child.wait(TEN_SECONDS).await.expect("done"), 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}
