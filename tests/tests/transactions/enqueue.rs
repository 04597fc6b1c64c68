//! Storing jobs in the application's transaction.

use std::{task::Poll, time::Duration};

use jobs_runtime::{
    job::JobId,
    prelude::*,
    state::StateName,
    storage::{Claim, Finish, Recorded, ServerId, StorageError},
};
use serde_json::json;

use super::site::{Site, run, write};
use crate::TEN_SECONDS;

#[job]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[test]
fn a_job_is_there_after_the_commit_and_not_before() {
    run(async |site| {
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        let job = Add::enqueue(1, 2).in_tx(&mut tx).await.expect("stored");
        assert!(!site.is_there(&job).await);
        tx.commit().await.expect("committed");
        let details = site.world.details(&job).await;
        assert_eq!((details.job.state, details.job.arguments.as_str()), (StateName::Enqueued, r#"{"a":1,"b":2}"#));
        assert!(site.is_there(&job).await);
        assert_eq!(site.effects().await, [1]);
        let claimed = site.claim().await;
        assert_eq!(claimed, [job.id()]);
    });
}

#[test]
fn with_a_rollback_it_is_gone() {
    run(async |site| {
        let mut tx = site.begin().await;
        let job = Add::enqueue(1, 2).in_tx(&mut tx).await.expect("stored");
        tx.rollback().await.expect("rolled back");
        let mut dropped = site.begin().await;
        let other = Add::enqueue(1, 2).in_tx(&mut dropped).await.expect("stored");
        drop(dropped);
        // One that is there shows that nothing is under way any more.
        let mut tx = site.begin().await;
        let last = Add::enqueue(3, 4).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");
        assert_eq!(site.claim().await, [last.id()]);
        assert!(!site.is_there(&job).await && !site.is_there(&other).await);
        let error = job.wait(Duration::from_secs(1)).await.expect_err("not there");
        assert!(matches!(error, WaitError::NotFound { .. }), "{error}");
    });
}

#[test]
fn many_are_stored_at_once() {
    run(async |site| {
        let client = &site.world.client;
        let mut tx = site.begin().await;
        let now = client.enqueue_all_in(&mut tx, (0..700).map(|n| Add::new(n, n))).await.expect("stored");
        let later = (0..30).map(|n| Add::enqueue(n, n).delay(Duration::from_secs(60)));
        let later = client.enqueue_all_in(&mut tx, later).await.expect("stored");
        assert!(client.enqueue_all_in(&mut tx, Vec::<Add>::new()).await.expect("nothing").is_empty());
        assert_eq!(site.world.storage.counts().await.expect("counted").unfinished(), 0);
        tx.commit().await.expect("committed");
        let counts = site.world.storage.counts().await.expect("counted");
        assert_eq!(counts.of(StateName::Enqueued).value, now.len() as u64);
        assert_eq!(counts.of(StateName::Scheduled).value, later.len() as u64);
        let ids: Vec<JobId> = now.iter().map(|job| job.id()).collect();
        assert_eq!(site.claim_from("default", 700).await, ids, "in the order in which they were given");
    });
}

#[test]
fn whatever_can_be_chosen_can_be_chosen_in_a_transaction() {
    run(async |site| {
        let (client, clock) = (&site.world.client, &site.world.clock);
        let at = clock.now() + Duration::from_secs(120);
        let id = JobId::generate(clock.now());
        let mut tx = site.begin().await;
        let chosen = Add::enqueue(1, 1).queue("bulk").priority(7).max_attempts(3).id(id).with(client);
        let chosen = client.scope(async { chosen.in_tx(&mut tx).await }).await.expect("stored");
        let delayed = Add::enqueue(2, 2).delay(Duration::from_secs(60)).in_tx(&mut tx).await.expect("stored");
        let timed = Add::enqueue(3, 3).at(at).in_tx(&mut tx).await.expect("stored");
        let error = Add::enqueue(4, 4).queue("No Queue").in_tx(&mut tx).await.expect_err("refused");
        assert!(matches!(error, EnqueueError::InvalidQueue { .. }), "{error}");
        tx.commit().await.expect("committed");
        let details = site.world.details(&chosen).await;
        assert_eq!((chosen.id(), details.job.queue.as_str(), details.job.priority), (id, "bulk", 7));
        assert_eq!(details.max_attempts, Some(3));
        for (job, due) in [(&delayed, clock.now() + Duration::from_secs(60)), (&timed, at)] {
            let details = site.world.details(job).await;
            assert_eq!(details.job.state, StateName::Scheduled);
            assert_eq!(details.history[0].data["at"], serde_json::to_value(due).expect("JSON"));
        }
    });
}

#[test]
fn a_job_of_one_id_is_stored_once() {
    run(async |site| {
        let id = JobId::generate(site.world.clock.now());
        for n in 0..2 {
            let mut tx = site.begin().await;
            for m in 0..2 {
                Add::enqueue(n, m).id(id).in_tx(&mut tx).await.expect("stored, or there");
            }
            tx.commit().await.expect("committed");
        }
        assert_eq!(site.world.details(id).await.job.arguments, r#"{"a":0,"b":0}"#);
        assert_eq!(site.claim().await, [id]);
        let mut tx = site.begin().await;
        Add::enqueue(9, 9).id(id).in_tx(&mut tx).await.expect("there");
        tx.commit().await.expect("committed");
        assert_eq!(site.world.details(id).await.job.state, StateName::Processing, "it is left as it is");
        assert!(site.claim().await.is_empty());
    });
}

/// The parent is in every state in which a job can be, or in the same transaction.
#[test]
fn a_job_can_await_any_other_in_a_transaction() {
    run(async |site| {
        let client = &site.world.client;
        let store = async |n| Add::enqueue(n, n).await.expect("stored");
        let (done, deleted) = (store(1).await, store(2).await);
        let succeeded = site.world.storage.claim(claim("default", 1)).await.expect("claimed").remove(0);
        site.succeed(&succeeded).await;
        client.delete(&deleted).await.expect("deleted");
        let running = store(3).await;
        let run = site.world.storage.claim(claim("default", 1)).await.expect("claimed").remove(0);
        let waiting = store(4).await;
        let delayed = Add::enqueue(5, 5).delay(Duration::from_secs(60)).await.expect("stored");
        let parents = [done.id(), deleted.id(), running.id(), waiting.id(), delayed.id()];

        let mut tx = site.begin().await;
        let mut children = Vec::new();
        for parent in parents {
            children.push(Add::enqueue(0, 0).after(parent).in_tx(&mut tx).await.expect("stored"));
        }
        let own = Add::enqueue(6, 6).in_tx(&mut tx).await.expect("stored");
        let of_own = Add::enqueue(7, 7).after(&own).in_tx(&mut tx).await.expect("stored");
        let of_that = Add::enqueue(8, 8).after(&of_own).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");

        use StateName::{Awaiting, Deleted, Enqueued};
        let states = async || {
            let mut states = Vec::new();
            for child in children.iter().chain([&own, &of_own, &of_that]) {
                states.push(site.world.details(child).await.job.state);
            }
            states
        };
        assert_eq!(states().await, [Enqueued, Deleted, Awaiting, Awaiting, Awaiting, Enqueued, Awaiting, Awaiting]);
        site.succeed(&run).await;
        site.world.clock.advance(Duration::from_secs(60));
        site.world.storage.promote(10).await.expect("promoted");
        let rest = site.world.storage.claim(claim("default", 10)).await.expect("claimed");
        for job in &rest {
            site.succeed(job).await;
        }
        assert_eq!(rest.len(), 5, "4, 5, 6, and those that awaited 1 and 3");
        let again = site.world.storage.claim(claim("default", 10)).await.expect("claimed");
        assert_eq!(again.len(), 3, "those that awaited 4, 5 and 6");
        for job in &again {
            site.succeed(job).await;
        }
        assert_eq!(site.claim().await, [of_that.id()]);
    });
}

#[test]
fn an_unknown_parent_is_refused_and_the_transaction_goes_on() {
    run(async |site| {
        let nobody = JobId::generate(site.world.clock.now());
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        let error = Add::enqueue(1, 1).after(nobody).in_tx(&mut tx).await.expect_err("refused");
        let unknown = |parent: &JobId| *parent == nobody;
        assert!(
            matches!(&error, EnqueueError::Storage(StorageError::UnknownParent { parent, .. }) if unknown(parent)),
            "{error}"
        );
        write(&mut tx, &site.table, 2).await.expect("written");
        tx.rollback().await.expect("rolled back");
        assert_eq!(site.world.storage.counts().await.expect("counted").unfinished(), 0);
    });
}

/// What was written before the error was found is taken back; what the application wrote is not.
#[test]
fn after_an_error_nothing_of_the_jobs_is_committed_and_all_of_the_application() {
    run(async |site| {
        let nobody = JobId::generate(site.world.clock.now());
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        let own = Add::enqueue(1, 1).in_tx(&mut tx).await.expect("stored");
        let jobs = [Add::enqueue(2, 2), Add::enqueue(3, 3).delay(TEN_SECONDS), Add::enqueue(4, 4).after(nobody)];
        site.world.client.enqueue_all_in(&mut tx, jobs).await.expect_err("refused");
        write(&mut tx, &site.table, 2).await.expect("written");
        tx.commit().await.expect("committed");
        assert_eq!((site.effects().await, site.jobs().await), (vec![1, 2], 1));
        assert_eq!(site.claim().await, [own.id()]);
    });
}

/// Here that a table is missing.
#[test]
fn after_a_statement_that_failed_the_transaction_goes_on() {
    run(async |site| {
        site.execute(format!("DROP TABLE {}scheduled", site.prefix)).await;
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        let jobs = [Add::enqueue(2, 2), Add::enqueue(3, 3).delay(TEN_SECONDS)];
        site.world.client.enqueue_all_in(&mut tx, jobs).await.expect_err("refused");
        write(&mut tx, &site.table, 2).await.expect("written");
        tx.commit().await.expect("committed");
        assert_eq!((site.effects().await, site.jobs().await), (vec![1, 2], 0));
    });
}

/// As a time limit of the application's does it, wherever it is. The statements are prepared, because MySQL's driver loses
/// count when that is interrupted, and then nothing can be done with the connection any more.
#[test]
fn a_future_that_is_dropped_leaves_no_half_of_a_job() {
    run(async |site| {
        let (client, done) = (&site.world.client, Add::enqueue(0, 0).await.expect("stored"));
        let run = site.world.storage.claim(claim("default", 1)).await.expect("claimed").remove(0);
        site.succeed(&run).await;
        let three = || [Add::enqueue(1, 1), Add::enqueue(2, 2).delay(TEN_SECONDS), Add::enqueue(3, 3).after(&done)];
        let (mut before, mut polls, mut is_ready) = (1, 0, false);
        while !is_ready {
            let n = i64::from(polls);
            let mut tx = site.begin().await;
            write(&mut tx, &site.table, n).await.expect("written");
            client.enqueue_all_in(&mut tx, three()).await.expect("stored");
            is_ready = dropped_after(polls, client.enqueue_all_in(&mut tx, three())).await;
            let written = match write(&mut tx, &site.table, n).await {
                Ok(()) => tx.commit().await.is_ok(),
                // What is lost can't be rolled back.
                Err(_) => {
                    let _ = tx.rollback().await;
                    false
                }
            };
            let effects = site.effects().await.into_iter().filter(|effect| *effect == n).count();
            assert_eq!(effects, if written { 2 } else { 0 }, "dropped after {polls} polls");
            let (jobs, claimed) = (site.jobs().await - before, site.claim().await.len());
            let whole = if written { [(3, 2), (6, 4)].as_slice() } else { &[(0, 0)] };
            assert!(whole.contains(&(jobs, claimed)), "{jobs} jobs, {claimed} of them claimed, after {polls} polls");
            assert!(written || !is_ready);
            (before, polls) = (before + jobs, polls + 1);
        }
        assert!(polls > 0, "{polls}");
    });
}

/// Whether a future was ready when it was polled for the last of so many times.
async fn dropped_after<F: Future<Output: Sized>>(mut polls: u32, future: F) -> bool {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(false);
        }
        polls -= 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

#[test]
fn a_client_of_another_storage_says_what_is_wrong() {
    run(async |site| {
        let memory = Client::new(jobs_runtime::storage::connect("memory:").await.expect("memory"));
        let mut tx = site.begin().await;
        let error = Add::enqueue(1, 1).with(&memory).in_tx(&mut tx).await.expect_err("refused");
        let message = error.to_string();
        assert!(matches!(error, EnqueueError::OtherDatabase { .. }), "{error}");
        let database = site.world.storage.database().expect("a database");
        for part in ["`jobs_tests.add`", database, "`memory:`", ".with(…)", ".in_tx(…)"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        let error = memory.enqueue_all_in(&mut tx, [Add::new(1, 1)]).await.expect_err("refused");
        assert!(matches!(error, EnqueueError::OtherDatabase { .. }), "{error}");
        tx.commit().await.expect("it can still be committed");
    });
}

/// Here that there is no table for jobs.
#[test]
fn what_the_database_says_is_told() {
    run(async |site| {
        site.execute(format!("DROP TABLE {}job", site.prefix)).await;
        let mut tx = site.begin().await;
        let error = Add::enqueue(1, 1).in_tx(&mut tx).await.expect_err("refused");
        assert!(matches!(error, EnqueueError::Storage(StorageError::Failed { .. })), "{error}");
        assert!(error.to_string().contains(&format!("{}job", site.prefix)), "{error}");
    });
}

fn claim(queue: &str, limit: usize) -> Claim {
    Claim { server: ServerId::new("worker"), queues: [queue.try_into().expect("a queue")].into(), limit }
}

impl Site {
    /// How many jobs there are, in whatever state.
    async fn jobs(&self) -> i64 {
        let count = format!("SELECT COUNT(*) FROM {}job", self.prefix);
        sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&self.pool).await.expect("counted")
    }

    /// Claims all jobs of the queue `default`.
    async fn claim(&self) -> Vec<JobId> {
        self.claim_from("default", 100).await
    }

    async fn claim_from(&self, queue: &str, limit: usize) -> Vec<JobId> {
        let claimed = self.world.storage.claim(claim(queue, limit)).await.expect("claimed");
        claimed.iter().map(|job| job.id).collect()
    }

    async fn succeed(&self, job: &jobs_runtime::storage::ClaimedJob) {
        let result = serde_json::value::to_raw_value(&json!(0)).expect("JSON");
        let success = jobs_runtime::state::Succeeded { result, duration: Duration::ZERO };
        let transition = jobs_runtime::state::Transition::new(success, self.world.clock.now());
        let finish = Finish { job: job.id, token: job.token, transition };
        assert_eq!(self.world.storage.finish(vec![finish]).await.expect("finished"), [Recorded::Stored]);
    }
}
