//! What a handler writes in its transaction is rolled back when its run does not succeed.

use std::{sync::Mutex, time::Duration};

use jobs_runtime::{
    filter::{Election, Filter, FilterResult, Performed},
    job::Failure,
    prelude::*,
    state::{Failed, State, StateName},
};
use jobs_tests::Faulty;
use serde::{Deserialize, Serialize};

use super::{
    Db,
    site::{Table, run, write},
};
use crate::{Gate, TEN_SECONDS};

/// How a handler ends that has written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum End {
    Error,
    Permanent,
    Panic,
    OutOfTime,
    Cancel,
    Snooze,
}

#[job(timeout = "200ms", retry(attempts = 0))]
async fn write_and_end(mut tx: JobTx<Db>, table: Data<Table>, end: End) -> Result<(), JobError> {
    write(tx.begin().await.map_err(JobError::new)?, &table, 1).await.map_err(JobError::new)?;
    Noop::enqueue().in_tx(&mut tx).await.map_err(JobError::new)?;
    match end {
        End::Error => Err(JobError::new("no luck")),
        End::Permanent => Err(JobError::permanent("never")),
        End::Panic => panic!("as it was told"),
        End::OutOfTime => std::future::pending().await,
        End::Cancel => Err(JobError::cancel("pointless")),
        End::Snooze => Err(JobError::snooze(Duration::from_secs(3600))),
    }
}

#[job]
async fn noop() {}

/// Writes the number of its attempt, and succeeds at the third.
#[job(retry(attempts = 5, fixed = "1ms"))]
async fn stumble(cx: JobContext, mut tx: JobTx<Db>, table: Data<Table>) -> anyhow::Result<u32> {
    write(tx.begin().await?, &table, i64::from(cx.attempt())).await?;
    anyhow::ensure!(cx.attempt() == 3, "not yet");
    Ok(cx.attempt())
}

/// Where a handler leaves what it should not.
#[derive(Default)]
struct Kept(Mutex<Vec<JobTx<Db>>>);

#[job(retry(attempts = 0))]
async fn keep(mut tx: JobTx<Db>, table: Data<Table>, kept: Data<Kept>) -> anyhow::Result<()> {
    write(tx.begin().await?, &table, 1).await?;
    kept.0.lock().expect("nobody panics with it").push(tx);
    Ok(())
}

/// Ends its transaction by itself.
#[job(retry(attempts = 0))]
async fn meddle(mut tx: JobTx<Db>, table: Data<Table>, statement: String) -> anyhow::Result<()> {
    let tx = tx.begin().await?;
    write(tx, &table, 1).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut **tx).await?;
    Ok(())
}

/// Goes on after a statement has failed.
#[job(retry(attempts = 0))]
async fn ignore_an_error(mut tx: JobTx<Db>, table: Data<Table>) -> anyhow::Result<()> {
    let tx = tx.begin().await?;
    write(tx, &table, 1).await?;
    let missing = Table("no_such_table".to_owned());
    write(tx, &missing, 2).await.expect_err("there is none");
    Ok(())
}

#[job(retry(attempts = 1, fixed = "1ms"))]
async fn write_politely(
    mut tx: JobTx<Db>,
    table: Data<Table>,
    gate: Data<Gate>,
    token: CancellationToken,
) -> anyhow::Result<()> {
    write(tx.begin().await?, &table, 1).await?;
    gate.begun.add_permits(1);
    token.cancelled().await;
    anyhow::bail!("cancelled")
}

/// Handles the errors of runs.
struct Handle;

#[async_trait::async_trait]
impl Filter for Handle {
    async fn performed(&self, performed: &mut Performed<'_>) -> FilterResult {
        performed.handle_error();
        Ok(())
    }
}

/// Lets jobs fail that have succeeded.
struct NeverGood;

#[async_trait::async_trait]
impl Filter for NeverGood {
    async fn elect(&self, election: &mut Election) -> FilterResult {
        if matches!(election.candidate(), State::Succeeded(_)) {
            election.elect(Failed { failure: Failure::new("audit", "never good") }, "audited")?;
        }
        Ok(())
    }
}

#[test]
fn what_a_run_wrote_is_rolled_back_though_a_filter_handles_its_error() {
    run(async |site| {
        let server = site.server().register::<WriteAndEnd>().register::<Noop>().filter(Handle);
        let server = server.start().await.expect("started");
        for end in [End::Error, End::Panic, End::OutOfTime] {
            let job = WriteAndEnd::enqueue(end).await.expect("stored");
            site.world.until(&job, StateName::Succeeded).await;
            assert!(site.effects().await.is_empty(), "{end:?}");
        }
        let job = WriteAndEnd::enqueue(End::Cancel).await.expect("stored");
        site.world.until(&job, StateName::Deleted).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn what_a_run_wrote_is_rolled_back_if_its_success_is_elected_to_be_another_state() {
    run(async |site| {
        let server = site.server().register::<Stumble>().filter(NeverGood).start().await.expect("started");
        let job = Stumble::enqueue().await.expect("stored");
        for retry in 1..=5 {
            site.world.until_nth(&job, StateName::Scheduled, retry).await;
            site.world.clock.advance(Duration::from_millis(1));
        }
        site.world.until(&job, StateName::Failed).await;
        assert!(site.effects().await.is_empty());
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn whatever_ends_a_run_in_another_way_rolls_back() {
    run(async |site| {
        let server = site.server().register::<WriteAndEnd>().register::<Noop>().start().await.expect("started");
        for (end, state) in [
            (End::Error, StateName::Failed),
            (End::Permanent, StateName::Failed),
            (End::Panic, StateName::Failed),
            (End::OutOfTime, StateName::Failed),
            (End::Cancel, StateName::Deleted),
            (End::Snooze, StateName::Scheduled),
        ] {
            let job = WriteAndEnd::enqueue(end).await.expect("stored");
            site.world.until(&job, state).await;
            assert!(site.effects().await.is_empty(), "{end:?}");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        let counts = site.world.storage.counts().await.expect("counted");
        assert_eq!((counts.of(StateName::Enqueued).value, counts.of(StateName::Succeeded).value), (0, 0), "no job came");
    });
}

#[test]
fn only_the_attempt_that_succeeds_leaves_something() {
    run(async |site| {
        let server = site.server().register::<Stumble>().start().await.expect("started");
        let job = Stumble::enqueue().await.expect("stored");
        for attempt in 1..=2 {
            site.world.until_nth(&job, StateName::Scheduled, attempt).await;
            site.world.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 3);
        assert_eq!(site.effects().await, [3]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn a_transaction_that_is_kept_fails_the_run() {
    run(async |site| {
        let kept = Data::new(Kept::default());
        let server = site.server().register::<Keep>().shared_data(kept.clone()).start().await.expect("started");
        let job = Keep::enqueue().await.expect("stored");
        if site.world.storage.database() == Some("SQLite") {
            // Nobody else writes to the file while it is open, so the failure can't be recorded before.
            while kept.0.lock().expect("nobody panics with it").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // Nothing tells when the server has seen that the handler has returned; it is at once.
            tokio::time::sleep(Duration::from_millis(300)).await;
            kept.0.lock().expect("nobody panics with it").clear();
        }
        let error = job.wait(TEN_SECONDS).await.expect_err("failed").to_string();
        assert!(error.contains("has its `JobTx`") && error.contains("the handler has returned"), "{error}");
        let rest = std::mem::take(&mut *kept.0.lock().expect("nobody panics with it"));
        for mut tx in rest {
            tx.begin().await.expect("it is still there");
            drop(tx);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert!(site.effects().await.is_empty());
    });
}

/// When it is of no use any more, it says why.
#[test]
fn a_transaction_of_a_run_that_has_ended_is_refused() {
    #[job(retry(attempts = 0))]
    async fn keep_unused(tx: JobTx<Db>, kept: Data<Kept>) {
        kept.0.lock().expect("nobody panics with it").push(tx);
    }
    run(async |site| {
        let kept = Data::new(Kept::default());
        let server = site.server().register::<KeepUnused>().shared_data(kept.clone()).start().await.expect("started");
        KeepUnused::enqueue().await.expect("stored").wait(TEN_SECONDS).await.expect("nothing was begun");
        let mut tx = kept.0.lock().expect("nobody panics with it").pop().expect("kept");
        let error = tx.begin().await.expect_err("refused").to_string();
        assert!(error.contains("the run of this job has ended"), "{error}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// What it has committed by itself stays, but the job has not succeeded with it.
#[test]
fn a_handler_that_ends_its_transaction_has_failed() {
    run(async |site| {
        let server = site.server().register::<Meddle>().register::<Noop>().start().await.expect("started");
        for (statement, left) in [("COMMIT", 1), ("ROLLBACK", 1)] {
            let job = Meddle::enqueue(statement).await.expect("stored");
            let error = job.wait(TEN_SECONDS).await.expect_err("failed").to_string();
            assert!(error.contains("one of the handler's statements has ended it"), "{error}");
            assert_eq!(site.effects().await.len(), left, "{statement}");
        }
        assert_eq!(site.world.storage.totals().await.expect("read").succeeded, 0);
        // Its connection does no harm to others.
        Noop::enqueue().await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        let stumble = Meddle::enqueue("SELECT 1").await.expect("stored");
        stumble.wait(TEN_SECONDS).await.expect("done");
        assert_eq!(site.effects().await.len(), 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// PostgreSQL would roll back, and say that it has committed. The others undo only the statement that failed.
#[test]
fn a_success_after_a_failed_statement_is_what_the_database_makes_of_it() {
    run(async |site| {
        let server = site.server().register::<IgnoreAnError>().start().await.expect("started");
        let ended = IgnoreAnError::enqueue().await.expect("stored").wait(TEN_SECONDS).await;
        if site.world.storage.database() == Some("PostgreSQL") {
            let error = ended.expect_err("failed").to_string();
            assert!(error.contains("or has failed in it"), "{error}");
            assert!(site.effects().await.is_empty());
        } else {
            ended.expect("done");
            assert_eq!(site.effects().await, [1]);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[test]
fn a_run_that_is_cancelled_by_the_shutdown_is_given_back() {
    run(async |site| {
        let server = site.server().register::<WritePolitely>().start().await.expect("started");
        let job = WritePolitely::enqueue().await.expect("stored");
        site.gate.begun(1).await;
        let report = server.shutdown(Duration::from_millis(50)).await.expect("shut down");
        assert_eq!(report.interrupted, 0, "it ended when it was told to");
        let details = site.world.details(&job).await;
        assert_eq!((details.job.state, details.job.attempts), (StateName::Enqueued, 0));
        assert!(site.effects().await.is_empty());
    });
}

/// Writes, leaves its context with others, and does not end.
#[job]
async fn write_and_stay(
    cx: JobContext,
    mut tx: JobTx<Db>,
    table: Data<Table>,
    gate: Data<Gate>,
    kept: Data<KeptContext>,
) -> anyhow::Result<()> {
    kept.0.lock().expect("nobody panics with it").replace(cx);
    write(tx.begin().await?, &table, 1).await?;
    gate.pass().await;
    Ok(())
}

#[derive(Default)]
struct KeptContext(Mutex<Option<JobContext>>);

#[test]
fn a_run_that_is_aborted_by_the_shutdown_is_rolled_back_whoever_has_its_context() {
    run(async |site| {
        let kept = Data::new(KeptContext::default());
        let server = site.server().shared_data(kept.clone()).register::<WriteAndStay>().start().await.expect("started");
        let job = WriteAndStay::enqueue().await.expect("stored");
        site.gate.begun(1).await;
        let report = server.shutdown(Duration::from_millis(50)).await.expect("shut down");
        assert_eq!(report.interrupted, 1);
        assert!(kept.0.lock().expect("nobody panics with it").is_some());
        // Which waits for all that have written into it.
        let dropped = site.execute(format!("DROP TABLE {}", site.table.0));
        tokio::time::timeout(TEN_SECONDS, dropped).await.expect("nothing is locked any more");
        assert_eq!(site.world.details(&job).await.job.state, StateName::Enqueued);
    });
}

/// The database did commit, and nobody knows: it is found out when the failure is to be recorded.
#[test]
fn a_commit_whose_reply_is_lost_has_succeeded_once() {
    run(async |site| {
        for n in 1..=3 {
            let faulty = Faulty::new(site.world.storage.clone(), 1);
            let server = site.prepare(JobServer::builder(faulty.clone()).discover(false)).register::<Stumble>();
            let server = server.start().await.expect("started");
            faulty.lose_commits(1);
            let job = Stumble::enqueue().await.expect("stored");
            for attempt in 1..=2 {
                site.world.until_nth(&job, StateName::Scheduled, attempt).await;
                site.world.clock.advance(Duration::from_secs(1));
            }
            assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 3);
            // With that all outcomes are recorded, or refused.
            server.shutdown(TEN_SECONDS).await.expect("shut down");
            let details = site.world.details(&job).await;
            assert_eq!((details.job.state, details.job.attempts), (StateName::Succeeded, 3), "{details:#?}");
            assert_eq!(site.effects().await, vec![3; n]);
            assert_eq!(site.world.storage.totals().await.expect("read").succeeded, n as u64);
        }
    });
}

/// A line that fails now and then, half of the time after all was done.
#[test]
fn on_a_bad_line_each_job_has_its_effect_once() {
    run(async |site| {
        let faulty = Faulty::new(site.world.storage.clone(), 7);
        let server = site.prepare(JobServer::builder(faulty.clone()).discover(false)).register::<Effect>();
        let server = server.max_lost_runs(1_000).start().await.expect("started");
        faulty.fail_percent(20);
        let jobs = site.world.client.enqueue_all((0..60).map(Effect::new)).await.expect("stored");
        for _ in 0..1_000 {
            site.world.clock.advance(Duration::from_secs(1));
            if site.world.storage.counts().await.expect("counted").unfinished() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        faulty.fail_percent(0);
        for job in jobs {
            assert_eq!(site.world.details(&job).await.job.state, StateName::Succeeded);
        }
        assert_eq!(site.effects().await, (0..60).collect::<Vec<i64>>());
        assert_eq!(site.world.storage.totals().await.expect("read").succeeded, 60);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

#[job(retry(attempts = 1_000, fixed = "1ms"))]
async fn effect(mut tx: JobTx<Db>, table: Data<Table>, n: i64) -> anyhow::Result<()> {
    write(tx.begin().await?, &table, n).await?;
    Ok(())
}
