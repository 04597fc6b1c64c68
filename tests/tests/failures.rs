//! Jobs that fail: retries, panics, timeouts, and what a handler asks for.

use std::{
    future::IntoFuture,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use jobs_runtime::{job::Invocation, prelude::*, state::StateName};
use jobs_tests::on_each_storage;

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[job(retry(attempts = 2, fixed = "20s"))]
async fn always_fail(runs: Data<AtomicU32>) -> anyhow::Result<()> {
    runs.fetch_add(1, Ordering::Relaxed);
    Err(anyhow::Error::new(std::io::Error::other("cable cut")).context("no route"))
}

#[job]
async fn fail_twice(cx: JobContext) -> Result<u32, String> {
    if cx.attempt() < 3 { Err(format!("attempt {} failed", cx.attempt())) } else { Ok(cx.attempt()) }
}

#[job(retry(attempts = 0))]
async fn panic_async(text: String) {
    panic!("async {text}");
}

#[job(retry(attempts = 0))]
fn panic_blocking(text: String) {
    panic!("blocking {text}");
}

#[job(timeout = "50ms", retry(attempts = 0))]
async fn sleep_for_ever() {
    std::future::pending::<()>().await;
}

#[job]
async fn ask(what: String) -> Result<(), JobError> {
    match what.as_str() {
        "permanent" => Err(JobError::permanent("bad order")),
        "cancel" => Err(JobError::cancel("order withdrawn")),
        "retry_after" => Err(JobError::retry_after(Duration::from_secs(7), "busy")),
        "snooze" => Err(JobError::snooze(Duration::from_secs(9))),
        other => Err(JobError::new(other.to_owned())),
    }
}

#[job]
async fn typed(user_id: i64, tags: Vec<String>) -> usize {
    usize::try_from(user_id).unwrap_or_default() + tags.len()
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb was dropped");
    }
}

#[job(timeout = "20ms", retry(attempts = 0))]
async fn drop_a_bomb() {
    let _bomb = Bomb;
    std::future::pending::<()>().await;
}

#[job]
fn enqueue_from_a_thread() -> Result<String, EnqueueError> {
    let handle = tokio::runtime::Handle::current().block_on(FailTwice::enqueue().into_future())?;
    Ok(handle.id().to_string())
}

/// A `Result` whose error can be written, and a success that can't.
#[job]
async fn unwritable() -> Result<std::collections::BTreeMap<Vec<u8>, u8>, String> {
    Ok([(vec![1], 1)].into())
}

fn is_transient(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
}

fn growing(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 100)
}

#[job(retry(attempts = 2, by = growing, when = is_transient, on_exceeded = "delete"))]
async fn call_partner(kind: String) -> anyhow::Result<()> {
    match kind.as_str() {
        "transient" => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        "panic" => panic!("no partner"),
        _ => anyhow::bail!("wrong number"),
    }
}

fn never(n: u32) -> Duration {
    panic!("no time for retry {n}");
}

#[job(retry(attempts = 3, by = never))]
async fn explode() -> Result<(), String> {
    Err("no luck".to_owned())
}

#[job(retry(attempts = 0), retention(succeeded = "7d", failed = "1h"))]
async fn keep(what: String) -> Result<(), JobError> {
    match what.as_str() {
        "succeed" => Ok(()),
        "cancel" => Err(JobError::cancel("order withdrawn")),
        _ => Err(JobError::new("no route")),
    }
}

on_each_storage! {
    async fn a_panic_of_the_function_that_says_when_to_retry_fails_the_job_and_nothing_else(world: World) {
        let server = world.server().register::<Explode>().register::<FailTwice>().workers(1).start().await;
        let server = server.expect("started");
        let job = Explode::enqueue().await.expect("stored");
        let details = world.until(&job, StateName::Failed).await;
        let message = details.history.last().expect("history").data["message"].to_string();
        assert!(message.contains("panicked beside the handler: no time for retry 1"), "{message}");
        let other = FailTwice::enqueue().await.expect("stored");
        world.until(&other, StateName::Scheduled).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_job_says_how_long_it_is_kept(world: World) {
        let server = world.server().register::<Keep>().start().await.expect("started");
        let hours = |hours: u64| Some(world.clock.now() + Duration::from_secs(hours * 3600));
        for (what, state, expires_at) in [
            ("succeed", StateName::Succeeded, hours(7 * 24)),
            ("fail", StateName::Failed, hours(1)),
            ("cancel", StateName::Deleted, hours(24)),
        ] {
            let job = Keep::enqueue(what).await.expect("stored");
            assert_eq!(world.until(&job, state).await.expires_at, expires_at, "{what}");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn only_errors_that_a_job_names_are_retried(world: World) {
        let server = world.server().register::<CallPartner>().start().await.expect("started");
        let wrong = CallPartner::enqueue("wrong").await.expect("stored");
        let details = world.until(&wrong, StateName::Failed).await;
        assert_eq!((details.job.attempts, details.history.len()), (1, 3));
        for kind in ["transient", "panic"] {
            let job = CallPartner::enqueue(kind).await.expect("stored");
            for retry in 1..=2_u32 {
                let details = world.until_nth(&job, StateName::Scheduled, retry as usize).await;
                let due = &details.history.last().expect("history").data["at"];
                assert_eq!(*due, serde_json::json!(world.clock.now() + growing(retry)), "its own time");
                world.clock.advance(growing(retry));
            }
            let details = world.until(&job, StateName::Deleted).await;
            let last = details.history.last().expect("history");
            let reason = "none of 2 retries is left, and the job is one to be deleted then";
            assert_eq!((last.reason.as_deref(), details.job.attempts), (Some(reason), 3));
            assert_eq!(details.history[details.history.len() - 2].state, StateName::Failed);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (apalis) an always failing job ran 25 times within a second: no stored backoff.
    async fn a_failure_is_retried_at_its_stored_time_until_attempts_are_spent(world: World) {
        let runs = Data::new(AtomicU32::new(0));
        let server = world.server().register::<AlwaysFail>().shared_data(runs.clone()).start().await.expect("started");
        let job = AlwaysFail::enqueue().await.expect("stored");
        for retry in 1..=2 {
            let details = world.until_nth(&job, StateName::Scheduled, retry as usize).await;
            assert_eq!(runs.load(Ordering::Relaxed), retry);
            let last = details.history.last().expect("history");
            assert_eq!(last.reason, Some(format!("retry attempt {retry} of 2: no route")));
            assert_eq!(last.data["at"], serde_json::json!(world.clock.now() + Duration::from_secs(20)));
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(runs.load(Ordering::Relaxed), retry, "not before its time");
            world.clock.advance(Duration::from_secs(20));
        }
        let details = world.until(&job, StateName::Failed).await;
        assert_eq!((runs.load(Ordering::Relaxed), details.job.attempts), (3, 3));
        let failure = &details.history.last().expect("history").data;
        assert_eq!((&failure["message"], &failure["trace"]), (&"no route".into(), &"caused by: cable cut".into()));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_job_that_recovers_succeeds_and_keeps_its_failures(world: World) {
        let server = world.server().register::<FailTwice>().start().await.expect("started");
        let job = FailTwice::enqueue().await.expect("stored");
        for retry in 1..=2 {
            world.until_nth(&job, StateName::Scheduled, retry).await;
            world.clock.advance(Duration::from_secs(120));
        }
        assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 3);
        assert_eq!(world.times(&job, StateName::Failed).await, 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_call_chooses_its_own_number_of_retries(world: World) {
        let runs = Data::new(AtomicU32::new(0));
        let server = world.server().register::<AlwaysFail>().shared_data(runs.clone()).start().await.expect("started");
        let job = AlwaysFail::enqueue().max_attempts(0).await.expect("stored");
        assert!(job.wait(TEN_SECONDS).await.expect_err("failed").to_string().contains("no route"));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (apalis, underway) a panicking handler killed its worker, or leaked its lease for ever.
    async fn a_panic_is_that_jobs_failure_and_no_one_elses(world: World) {
        let server = world.server().workers(1).register::<PanicAsync>().register::<PanicBlocking>().register::<FailTwice>()
            .start().await.expect("started");
        let jobs = [PanicAsync::enqueue("one").await.expect("stored"), PanicBlocking::enqueue("two").await.expect("stored")];
        for (job, message) in jobs.iter().zip(["async one", "blocking two"]) {
            let WaitError::Failed { failure, .. } = job.wait(TEN_SECONDS).await.expect_err("failed") else { panic!() };
            assert_eq!((failure.error_type.as_str(), failure.message.as_str()), ("panic", message));
            let trace = failure.trace.expect("a trace");
            assert!(trace.starts_with("at tests/tests/failures.rs:") && trace.contains("failures::panic_"), "{trace}");
        }
        world.until(&FailTwice::enqueue().await.expect("stored"), StateName::Scheduled).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_panic_while_dropping_is_that_jobs_failure_too(world: World) {
        let server = world.server().workers(1).register::<DropABomb>().register::<Typed>().start().await.expect("started");
        let job = DropABomb::enqueue().await.expect("stored");
        let error = job.wait(TEN_SECONDS).await.expect_err("failed").to_string();
        assert!(error.contains("panicked beside the handler: the bomb was dropped"), "{error}");
        assert_eq!(Typed::enqueue(1, Vec::new()).await.expect("stored").wait(TEN_SECONDS).await.expect("done"), 1);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_blocking_job_enqueues_with_its_servers_client(world: World) {
        let server = world.server().register::<EnqueueFromAThread>().register::<FailTwice>().start().await.expect("started");
        let id = EnqueueFromAThread::enqueue().await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        assert!(world.client.job(id.parse::<JobId>().expect("an id")).await.expect("read").is_some());
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_run_out_of_time_fails(world: World) {
        let server = world.server().register::<SleepForEver>().start().await.expect("started");
        let job = SleepForEver::enqueue().await.expect("stored");
        let error = job.wait(TEN_SECONDS).await.expect_err("failed");
        assert!(error.to_string().contains("timed out after 50ms"), "{error}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_handler_gets_what_it_asks_for(world: World) {
        let server = world.server().register::<Ask>().start().await.expect("started");
        let permanent = Ask::enqueue("permanent").await.expect("stored");
        assert_eq!(world.until(&permanent, StateName::Failed).await.job.attempts, 1);
        let canceled = Ask::enqueue("cancel").await.expect("stored");
        let error = canceled.wait(TEN_SECONDS).await.expect_err("deleted");
        assert!(matches!(&error, WaitError::Deleted { reason: Some(reason), .. } if reason == "order withdrawn"), "{error}");
        let due = async |what: &str| {
            let job = Ask::enqueue(what).await.expect("stored");
            let details = world.until(&job, StateName::Scheduled).await;
            let at = details.history.last().expect("history").data["at"].clone();
            (at, details.job.attempts)
        };
        let seconds = |seconds| serde_json::json!(world.clock.now() + Duration::from_secs(seconds));
        assert_eq!(due("retry_after").await, (seconds(7), 1));
        assert_eq!(due("snooze").await, (seconds(9), 0));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_stored_name_that_nobody_knows_fails_alone(world: World) {
        let server = world.server().register::<FailTwice>().register::<Typed>().start().await.expect("started");
        let call = Invocation::new(JobName::new("jobs_tests", "tyqed"), &serde_json::json!({})).expect("JSON");
        let unknown = world.client.prepare(call).expect("prepared");
        let unknown = world.client.enqueue_all([unknown]).await.expect("stored").remove(0);
        let known = Typed::enqueue(1, Vec::new()).await.expect("stored");
        assert_eq!(known.wait(TEN_SECONDS).await.expect("done"), 1);
        let error = unknown.wait(TEN_SECONDS).await.expect_err("failed").to_string();
        for part in ["`jobs_tests.tyqed`", "renamed to `jobs_tests.typed`", "known: jobs_tests.fail_twice, jobs_tests.typed"] {
            assert!(error.contains(part), "{error}");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn an_unknown_name_may_be_retried_until_it_is_known(world: World) {
        let call = Invocation::new(Typed::NAME, &serde_json::json!({ "user_id": 1, "tags": [] })).expect("JSON");
        let job = world.client.prepare(call).expect("prepared");
        let job = world.client.enqueue_all([job]).await.expect("stored").remove(0);
        let retry = RetryPolicy::fixed(3, Duration::from_secs(10));
        let old = world.server().register::<FailTwice>().unknown_jobs(retry).start().await.expect("started");
        let details = world.until(&job, StateName::Scheduled).await;
        assert!(details.history.last().expect("history").reason.as_deref().expect("a reason").contains("no handler"));
        old.shutdown(TEN_SECONDS).await.expect("shut down");
        let new = world.server().register::<Typed>().start().await.expect("started");
        world.clock.advance(Duration::from_secs(10));
        assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 1);
        new.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn arguments_that_no_longer_fit_fail_with_field_and_json(world: World) {
        let server = world.server().register::<Typed>().start().await.expect("started");
        let stored = serde_json::json!({ "user_id": "forty-two", "tags": [] });
        let call = Invocation::new(Typed::NAME, &stored).expect("JSON");
        let job = world.client.prepare(call).expect("prepared");
        let job = world.client.enqueue_all([job]).await.expect("stored").remove(0);
        let error = job.wait(TEN_SECONDS).await.expect_err("failed").to_string();
        assert!(error.contains("at `user_id`") && error.contains(r#""user_id":"forty-two""#), "{error}");
        assert_eq!(world.details(&job).await.job.arguments, stored.to_string(), "nothing is lost");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_result_that_is_no_json_fails_the_job(world: World) {
        let server = world.server().register::<Unwritable>().start().await.expect("started");
        let error = Unwritable::enqueue().await.expect("stored").wait(TEN_SECONDS).await.expect_err("failed");
        assert!(error.to_string().contains("the result of job `jobs_tests.unwritable` can't be written as JSON"), "{error}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_wait_ends_when_its_time_is_up(world: World) {
        let job = FailTwice::enqueue().await.expect("stored");
        let error = job.wait(Duration::from_millis(20)).await.expect_err("too long");
        assert!(matches!(error, WaitError::Timeout { state: StateName::Enqueued, .. }), "{error}");
        world.client.delete(&job).await.expect("deleted");
        world.clock.advance(Duration::from_secs(25 * 3600));
        world.storage.expire(10).await.expect("expired");
        assert!(matches!(job.wait(TEN_SECONDS).await, Err(WaitError::NotFound { .. })));
    }
}
