//! Recording how runs ended.

use std::time::Duration;

use serde_json::value::RawValue;

use super::fixture::{Fixture, SECOND};
use crate::{
    job::Failure,
    state::{Enqueued, Failed, StateName, Succeeded, Transition},
    storage::{ClaimedJob, Finish, Recorded},
};

/// Result, duration, attempt and expiry.
pub async fn a_success_keeps_its_result(f: Fixture) {
    let id = f.succeed_one("add").await;
    let details = f.details(id).await;
    assert_eq!((details.job.state, details.job.attempts), (StateName::Succeeded, 1));
    assert_eq!(details.expires_at, Some(f.clock.now() + SECOND * 24 * 3600));
    let last = details.history.last().expect("history");
    assert_eq!((last.state, &last.data["result"]["sum"]), (StateName::Succeeded, &serde_json::json!(42)));
    assert_eq!(last.data["duration_us"], 1_500);
}

/// Also one that has no room in a `Value`.
pub async fn a_result_is_kept_to_the_letter(f: Fixture) {
    for text in ["340282366920938463463374607431768211455", "[1e999]", "0.10000000000000000000000001"] {
        let id = f.enqueue("exact").await;
        let job = f.claim().await;
        let result = RawValue::from_string(text.to_owned()).expect("JSON");
        let transition = Transition::new(Succeeded { result, duration: SECOND }, f.clock.now());
        assert_eq!(f.finish(&job, transition).await, Recorded::Stored);
        assert_eq!(f.details(id).await.result.as_deref(), Some(text));
        assert!(!f.details(id).await.history[2].data.is_null(), "{text}");
        f.requeue(id).await;
        assert_eq!(f.details(id).await.result, None);
        f.delete(id).await;
    }
}

/// More deeply than most readers of JSON go: the job can be read and moved all the same.
pub async fn a_deeply_nested_result_hides_no_job(f: Fixture) {
    for depth in [120, 127, 128, 2_000] {
        let id = f.enqueue("deep").await;
        let job = f.claim().await;
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let result = serde_json::value::RawValue::from_string(text).expect("JSON");
        let success = Transition::new(Succeeded { result, duration: Duration::ZERO }, f.clock.now());
        assert_eq!(f.finish(&job, success).await, Recorded::Stored);
        assert_eq!(f.state(id).await, StateName::Succeeded);
        f.requeue(id).await;
        let states: Vec<StateName> = f.details(id).await.history.iter().map(|entry| entry.state).collect();
        assert_eq!(states[2..], [StateName::Succeeded, StateName::Enqueued], "{depth}");
        f.delete(id).await;
    }
}

/// PostgreSQL has none in its texts. In JSON they are escaped; in a reason they are replaced.
pub async fn zero_characters_are_recorded(f: Fixture) {
    let id = f.enqueue("zeros").await;
    let text = r#"{"a":"\u0000"}"#;
    let result = RawValue::from_string(text.to_owned()).expect("JSON");
    let success = Transition::new(Succeeded { result, duration: SECOND }, f.clock.now());
    assert_eq!(f.finish(&f.claim().await, success).await, Recorded::Stored);
    assert_eq!(f.details(id).await.result.as_deref(), Some(text));
    f.enqueue("zeros").await;
    let job = f.claim().await;
    let failed = Transition::new(Failed { failure: Failure::new("suite\0", "no\0route") }, f.clock.now());
    assert_eq!(f.finish(&job, failed.because("no\0route")).await, Recorded::Stored);
    let last = f.details(job.id).await.history.pop().expect("history");
    assert_eq!(last.reason.as_deref(), Some("no\u{fffd}route"));
    assert_eq!(last.data["message"], "no\0route");
}

/// More than one statement may be able to take.
pub async fn large_results_are_recorded_together(f: Fixture) {
    const LENGTH: usize = 400_000;
    f.enqueue_many(20).await;
    let jobs = f.claim_from(&["default"], 20).await;
    let result = RawValue::from_string(format!("\"{}\"", "x".repeat(LENGTH))).expect("JSON");
    let success = Transition::new(Succeeded { result, duration: SECOND }, f.clock.now());
    let finish = |job: &ClaimedJob| Finish { job: job.id, token: job.token, transition: success.clone() };
    let recorded = f.storage.finish(jobs.iter().map(finish).collect()).await.expect("finished");
    assert_eq!(recorded, vec![Recorded::Stored; 20]);
    for job in &jobs {
        assert_eq!(f.details(job.id).await.result.expect("a result").len(), LENGTH + 2);
    }
}

/// Yet all of it is there.
pub async fn a_success_needs_no_written_history(f: Fixture) {
    let id = f.succeed_one("add").await;
    assert_eq!(
        f.history(id).await,
        "enqueued {}\n\
         processing {\"attempt\":1,\"server\":\"worker\"}\n\
         succeeded {\"duration_us\":1500,\"result\":{\"sum\":42}}\n"
    );
}

/// Elsewhere (graphile_worker, River, Hangfire's Redis storage #135) a stale worker completed the job that
/// another one owned by then.
pub async fn a_late_outcome_is_refused(f: Fixture) {
    let id = f.enqueue("slow").await;
    let stale = f.claim().await;
    f.requeue(id).await;
    let current = f.claim().await;
    assert_eq!(f.finish(&stale, f.success()).await, Recorded::Fenced);
    assert_eq!(f.finish(&stale, f.failure()).await, Recorded::Fenced);
    assert_eq!(f.state(id).await, StateName::Processing);
    assert_eq!(f.finish(&current, f.success()).await, Recorded::Stored);
    assert_eq!(f.finish(&stale, f.success()).await, Recorded::Fenced);
    assert_eq!(f.state(id).await, StateName::Succeeded);
}

/// A second success of the same delivery counts nowhere; nor does it in the same batch.
pub async fn an_outcome_is_recorded_once(f: Fixture) {
    let id = f.enqueue("once").await;
    let job = f.claim().await;
    f.finish(&job, f.success()).await;
    f.finish(&job, f.success()).await;
    f.finish(&job, f.failure()).await;
    assert_eq!(f.state(id).await, StateName::Succeeded);
    assert_eq!(f.storage.totals().await.expect("read").succeeded, 1);
    assert_eq!(f.history(id).await.lines().count(), 3);
}

/// It was stored, and a server that lost the reply asks again. Any other outcome ended its delivery.
pub async fn a_repeated_success_is_answered_as_stored(f: Fixture) {
    let id = f.enqueue("once").await;
    let job = f.claim().await;
    for _ in 0..3 {
        assert_eq!(f.finish(&job, f.success()).await, Recorded::Stored);
    }
    assert_eq!(f.finish(&job, f.failure()).await, Recorded::Fenced);
    f.requeue(id).await;
    assert_eq!(f.finish(&job, f.success()).await, Recorded::Fenced);
    let again = f.claim().await;
    assert_eq!(f.finish(&job, f.success()).await, Recorded::Fenced);
    assert_eq!(f.finish(&again, f.failure()).await, Recorded::Stored);
    assert_eq!(f.finish(&again, f.failure()).await, Recorded::Fenced);
    assert_eq!(f.storage.totals().await.expect("read").succeeded, 1);
}

/// Elsewhere (Hangfire #705, #1695) a retry went to another queue.
pub async fn a_retry_keeps_queue_and_history(f: Fixture) {
    let mail = super::fixture::queue("mail");
    let id = f.store(crate::storage::NewJob { queue: mail.clone(), priority: 4, ..f.job("mail") }).await;
    let job = f.claim_from(&["mail"], 1).await.remove(0);
    assert_eq!(f.finish(&job, f.retry(SECOND * 20)).await, Recorded::Stored);
    assert_eq!(f.state(id).await, StateName::Scheduled);
    f.clock.advance(SECOND * 20);
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 1);
    let again = f.claim_from(&["mail"], 1).await.remove(0);
    assert_eq!((again.attempt, again.queue), (2, mail));
    let history = f.history(id).await;
    let states: Vec<&str> = history.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(states, ["enqueued", "processing", "failed", "scheduled", "enqueued", "processing"]);
    assert!(history.contains("\"message\":\"no route\"") && history.contains("(retry attempt 1 of 10)"), "{history}");
}

/// And does not expire.
pub async fn a_failure_is_kept_with_its_error(f: Fixture) {
    let id = f.fail_one("bad").await;
    let details = f.details(id).await;
    assert_eq!((details.job.state, details.job.attempts, details.expires_at), (StateName::Failed, 1, None));
    let last = details.history.last().expect("history");
    assert_eq!(last.data, serde_json::json!({ "error_type": "suite::Error", "message": "no route" }));
}

/// Successes, failures and refused ones, mixed.
pub async fn a_mixed_batch_is_answered_in_order(f: Fixture) {
    f.enqueue_many(5).await;
    let jobs = f.claim_from(&["default"], 5).await;
    f.delete(jobs[1].id).await;
    f.delete(jobs[4].id).await;
    let outcomes = [f.success(), f.success(), f.failure(), f.success(), f.failure()];
    let batch = jobs.iter().zip(outcomes).map(|(job, transition)| Finish { job: job.id, token: job.token, transition });
    let recorded = f.storage.finish(batch.collect()).await.expect("finished");
    let (stored, fenced) = (Recorded::Stored, Recorded::Fenced);
    assert_eq!(recorded, [stored, fenced, stored, stored, fenced]);
    let mut states = Vec::new();
    for job in &jobs {
        states.push(f.state(job.id).await);
    }
    let expected =
        [StateName::Succeeded, StateName::Deleted, StateName::Failed, StateName::Succeeded, StateName::Deleted];
    assert_eq!(states, expected);
}

/// More than fits into one statement of any backend.
pub async fn a_large_batch_is_recorded(f: Fixture) {
    f.enqueue_many(1_500).await;
    let jobs = f.claim_from(&["default"], 1_500).await;
    let batch = jobs.iter().map(|job| Finish { job: job.id, token: job.token, transition: f.success() });
    let recorded = f.storage.finish(batch.collect()).await.expect("finished");
    assert!(recorded.iter().all(|recorded| *recorded == Recorded::Stored));
    assert_eq!(f.storage.counts().await.expect("counted").of(StateName::Succeeded).value, 1_500);
    assert_eq!(f.storage.totals().await.expect("read").succeeded, 1_500);
}

/// As a server does at its shutdown.
pub async fn a_job_given_back_has_spent_no_attempt(f: Fixture) {
    let id = f.enqueue("long").await;
    let job = f.claim().await;
    let back = Transition::new(Enqueued {}, f.clock.now()).because("given back");
    assert_eq!(f.finish(&job, back).await, Recorded::Stored);
    assert_eq!(f.details(id).await.job.attempts, 0);
    assert_eq!(f.claim().await.attempt, 1);
}

/// Or a deployment would send the oldest jobs behind the whole backlog.
pub async fn a_job_given_back_keeps_its_place(f: Fixture) {
    let ids = f.enqueue_many(3).await;
    let first = f.claim().await;
    let back = Transition::new(Enqueued {}, f.clock.now()).because("given back");
    f.finish(&first, back).await;
    let again: Vec<_> = f.claim_from(&["default"], 3).await.iter().map(|job| job.id).collect();
    assert_eq!(again, ids);
    f.requeue(ids[0]).await;
    f.requeue(ids[1]).await;
    let requeued: Vec<_> = f.claim_from(&["default"], 3).await.iter().map(|job| job.id).collect();
    assert_eq!(requeued, ids[..2], "requeued ones go to the end, in the order of their requeueing");
}
