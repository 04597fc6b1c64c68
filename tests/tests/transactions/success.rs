//! What a handler writes in its transaction is committed with the job's success.

use jobs_runtime::{prelude::*, server::StartError, state::StateName};
use serde::{Deserialize, Serialize};
use sqlx::Acquire as _;

use super::{
    Db,
    site::{Table, run, write},
};
use crate::{Gate, TEN_SECONDS};

/// Writes, and stores another job, in its transaction.
#[job]
async fn charge(mut tx: JobTx<Db>, table: Data<Table>, n: i64) -> anyhow::Result<i64> {
    let tx = tx.begin().await?;
    write(tx, &table, n).await?;
    Notify::enqueue(n).in_tx(tx).await?;
    Ok(n)
}

#[job]
async fn notify(n: i64) -> i64 {
    n
}

/// Lets the test look while its transaction is open.
#[job]
async fn charge_slowly(mut tx: JobTx<Db>, table: Data<Table>, gate: Data<Gate>, n: i64) -> anyhow::Result<()> {
    write(tx.begin().await?, &table, n).await?;
    Notify::enqueue(n).in_tx(&mut tx).await?;
    gate.pass().await;
    Ok(())
}

/// Writes only if it is told to.
#[job]
async fn charge_perhaps(mut tx: JobTx<Db>, table: Data<Table>, n: Option<i64>) -> anyhow::Result<()> {
    if let Some(n) = n {
        write(tx.begin().await?, &table, n).await?;
    }
    Ok(())
}

#[job]
fn charge_on_a_thread(mut tx: JobTx<Db>, table: Data<Table>, n: i64) -> anyhow::Result<i64> {
    tokio::runtime::Handle::current().block_on(async {
        write(tx.begin().await?, &table, n).await?;
        Notify::enqueue(n).in_tx(&mut tx).await?;
        Ok(n)
    })
}

/// Takes a part of what it did back.
#[job]
async fn charge_in_parts(mut tx: JobTx<Db>, table: Data<Table>) -> anyhow::Result<()> {
    let tx = tx.begin().await?;
    for (n, keep) in [(1, true), (2, false), (3, true)] {
        let mut part = tx.begin().await?;
        write(&mut part, &table, n).await?;
        if keep {
            part.commit().await?;
        }
    }
    Ok(())
}

/// What `#[job]` writes, by hand; it takes its transaction twice.
#[derive(Serialize, Deserialize)]
struct ChargeTwice {}

impl Job for ChargeTwice {
    type Output = String;
    const NAME: JobName = JobName::new("by_hand", "charge_twice");

    async fn perform(self, cx: JobContext) -> Result<String, JobError> {
        let table = cx.data::<Table>().expect("a table");
        let (mut first, mut second) = (JobTx::<Db>::from_context(&cx).await?, JobTx::<Db>::from_context(&cx).await?);
        write(first.begin().await.map_err(JobError::new)?, &table, 1).await.map_err(JobError::new)?;
        let refused = second.begin().await.expect_err("it is in use").to_string();
        drop(first);
        write(second.begin().await.map_err(JobError::new)?, &table, 2).await.map_err(JobError::new)?;
        Ok(refused)
    }
}

#[test]
fn writes_new_jobs_and_success_are_committed_together() {
    run(async |site| {
        let server = site.server().register::<Charge>().register::<Notify>().start().await.expect("started");
        let parent = Charge::enqueue(7).await.expect("stored");
        let child = Notify::enqueue(8).after(&parent).await.expect("stored");
        assert_eq!(parent.wait(TEN_SECONDS).await.expect("done"), 7);
        assert_eq!(child.wait(TEN_SECONDS).await.expect("released"), 8);
        assert_eq!(site.effects().await, [7]);
        // The job, the one that it stored, and the one that awaited it.
        site.until_succeeded(3).await;
        let details = site.world.details(&parent).await;
        let states: Vec<StateName> = details.history.iter().map(|entry| entry.state).collect();
        assert_eq!(states, [StateName::Enqueued, StateName::Processing, StateName::Succeeded]);
        assert!(details.expires_at.is_some());
        assert!(server.health().is_healthy());
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn nothing_is_seen_before_the_job_has_succeeded() {
    run(async |site| {
        let server = site.server().register::<ChargeSlowly>().register::<Notify>().start().await.expect("started");
        let job = ChargeSlowly::enqueue(7).await.expect("stored");
        site.gate.begun(1).await;
        assert!(site.effects().await.is_empty());
        assert_eq!(site.world.storage.counts().await.expect("counted").unfinished(), 1);
        assert_eq!(site.world.details(&job).await.job.state, StateName::Processing);
        // The shutdown waits for it.
        let ending = tokio::spawn(server.shutdown(TEN_SECONDS));
        site.gate.open.add_permits(1);
        let report = ending.await.expect("ended").expect("shut down");
        assert_eq!(report.interrupted, 0);
        assert_eq!(site.effects().await, [7]);
        assert_eq!(site.world.details(&job).await.job.state, StateName::Succeeded);
        let counts = site.world.storage.counts().await.expect("counted");
        let both = counts.of(StateName::Enqueued).value + counts.of(StateName::Succeeded).value;
        assert_eq!(both, 2, "the one that it stored may have been run before the server stopped claiming");
    });
}

#[test]
fn a_job_that_begins_no_transaction_ends_as_any_other() {
    run(async |site| {
        let server = site.server().register::<ChargePerhaps>().start().await.expect("started");
        let jobs = [None, Some(1), None].map(ChargePerhaps::new);
        for job in site.world.client.enqueue_all(jobs).await.expect("stored") {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        assert_eq!(site.effects().await, [1]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn a_job_that_may_block_has_a_transaction_too() {
    run(async |site| {
        let server = site.server().register::<ChargeOnAThread>().register::<Notify>().start().await.expect("started");
        let job = ChargeOnAThread::enqueue(7).await.expect("stored");
        assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 7);
        site.until_succeeded(2).await;
        assert_eq!(site.effects().await, [7]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn savepoints_work_in_it() {
    run(async |site| {
        let server = site.server().register::<ChargeInParts>().start().await.expect("started");
        ChargeInParts::enqueue().await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        assert_eq!(site.effects().await, [1, 3]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn a_run_has_one_transaction() {
    run(async |site| {
        let server = site.server().register::<ChargeTwice>().start().await.expect("started");
        let job = site.world.client.enqueue(ChargeTwice {}).await.expect("stored");
        let refused = job.wait(TEN_SECONDS).await.expect("done");
        assert!(refused.contains("another `JobTx`"), "{refused}");
        assert_eq!(site.effects().await, [1, 2]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// The storage has four connections for handlers, or one.
#[test]
fn more_handlers_than_connections_take_turns() {
    run(async |site| {
        let server = site.server().workers(20).register::<Charge>().register::<Notify>();
        let server = server.start().await.expect("started");
        let jobs = site.world.client.enqueue_all((0..60).map(Charge::new)).await.expect("stored");
        for (n, job) in (0..).zip(jobs) {
            assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), n);
        }
        assert_eq!(site.effects().await, (0..60).collect::<Vec<i64>>());
        site.until_succeeded(120).await;
        assert_eq!(site.world.storage.totals().await.expect("read").succeeded, 120);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn a_server_of_another_storage_does_not_start() {
    run(async |site| {
        let memory = jobs_runtime::storage::connect("memory:").await.expect("memory");
        let server = site.prepare(JobServer::builder(memory).discover(false)).register::<Charge>().workers(0);
        let error = server.start().await.expect_err("refused");
        let StartError::Problems(problems) = &error else { panic!("{error}") };
        assert_eq!(problems.len(), 2, "{error}");
        let database = site.world.storage.database().expect("a database");
        for part in ["`jobs_tests.charge`", "success.rs:", "`JobTx`", database, "`memory:`"] {
            assert!(problems.iter().any(|problem| problem.to_string().contains(part)), "{part}: {error}");
        }
    });
}
