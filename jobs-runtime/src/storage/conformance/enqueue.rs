//! Storing jobs.

use serde_json::json;

use super::fixture::{Fixture, queue};
use crate::{
    job::{Invocation, JobId, JobName},
    state::StateName,
    storage::{Initial, JobFilter, NewJob, PageRequest, StorageError},
};

/// Every field comes back, from another handle too.
pub async fn a_stored_job_reads_back_as_it_was_written(f: Fixture) {
    let new = NewJob {
        invocation: Invocation::new(JobName::new("app::Mail", "send"), &json!({ "to": "ada", "n": 7 })).expect("JSON"),
        queue: queue("mail"),
        priority: -3,
        max_attempts: Some(2),
        ..f.job("x")
    };
    f.store(new.clone()).await;
    let stored = f.other.job(new.id).await.expect("read").expect("a job");
    assert_eq!(stored.job.id, new.id);
    assert_eq!(stored.job.name, *new.invocation.name());
    assert_eq!(stored.job.arguments, new.invocation.arguments());
    assert_eq!((stored.job.queue, stored.job.priority), (queue("mail"), -3));
    assert_eq!((stored.job.state, stored.job.attempts, stored.lost), (StateName::Enqueued, 0, 0));
    assert_eq!((stored.job.created_at, stored.job.state_at), (new.created_at, new.created_at));
    assert_eq!((stored.max_attempts, stored.expires_at), (Some(2), None));
    assert_eq!(f.history(new.id).await, "enqueued {}\n");
}

/// A client that lost the reply asks again, with the same id: in whatever state the job is meanwhile, it is
/// neither stored nor run a second time.
pub async fn storing_a_job_again_changes_nothing(f: Fixture) {
    let again = |job: &NewJob| f.storage.enqueue(vec![job.clone()]);
    let job = f.job("once");
    f.storage.enqueue(vec![job.clone(), job.clone()]).await.expect("stored");
    again(&job).await.expect("ignored");
    assert_eq!(f.claim_from(&["default"], 10).await.len(), 1);
    again(&job).await.expect("ignored");
    assert_eq!(f.claim_from(&["default"], 10).await.len(), 0, "while it runs");

    let done = f.succeed_one("done").await;
    again(&NewJob { id: done, ..f.job("done") }).await.expect("ignored");
    let failed = f.fail_one("failed").await;
    again(&NewJob { id: failed, ..f.job("failed") }).await.expect("ignored");
    let later = f.schedule("later", super::fixture::HOUR).await;
    again(&NewJob { id: later, ..f.job("later") }).await.expect("ignored");
    assert_eq!(f.claim_from(&["default"], 10).await.len(), 0);
    assert_eq!(f.state(later).await, StateName::Scheduled);
}

/// Enqueued, scheduled and awaiting jobs go in together.
pub async fn a_batch_is_stored_whole(f: Fixture) {
    let first = f.job("first");
    let later = NewJob { initial: Initial::Scheduled(f.clock.now() + super::fixture::HOUR), ..f.job("later") };
    let after = NewJob { initial: Initial::Awaiting(first.id), ..f.job("after") };
    let ids: Vec<JobId> = [&first, &later, &after].map(|job| job.id).into();
    f.storage.enqueue(vec![first, later, after]).await.expect("stored");
    let states = [f.state(ids[0]).await, f.state(ids[1]).await, f.state(ids[2]).await];
    assert_eq!(states, [StateName::Enqueued, StateName::Scheduled, StateName::Awaiting]);
}

/// A caller that asks again with a continuation added: the parent is in the batch, and done with.
pub async fn a_batch_whose_parent_was_stored_before_releases_at_once(f: Fixture) {
    let parent = f.succeed_one("parent").await;
    let parent = NewJob { id: parent, ..f.job("parent") };
    let child = NewJob { initial: Initial::Awaiting(parent.id), ..f.job("child") };
    let id = child.id;
    f.storage.enqueue(vec![parent, child]).await.expect("stored");
    assert_eq!(f.state(id).await, StateName::Enqueued);
    assert_eq!(f.claim().await.id, id);
}

/// All or none.
pub async fn a_job_with_an_unknown_parent_is_refused_with_its_batch(f: Fixture) {
    let good = f.job("good");
    let nobody = JobId::generate(f.clock.now());
    let orphan = NewJob { initial: Initial::Awaiting(nobody), ..f.job("orphan") };
    let ids = [good.id, orphan.id];
    let error = f.storage.enqueue(vec![good, orphan]).await.expect_err("refused");
    assert!(matches!(error, StorageError::UnknownParent { parent, .. } if parent == nobody), "{error}");
    for id in ids {
        assert_eq!(f.storage.job(id).await.expect("read"), None);
    }
}

/// Empty batches and empty storages are not errors.
pub async fn nothing_is_no_work(f: Fixture) {
    f.storage.enqueue(Vec::new()).await.expect("nothing");
    assert!(f.storage.finish(Vec::new()).await.expect("nothing").is_empty());
    assert!(f.storage.change(Vec::new()).await.expect("nothing").is_empty());
    assert!(f.storage.revoked(Vec::new()).await.expect("nothing").is_empty());
    assert_eq!(f.storage.promote(10).await.expect("nothing").promoted, 0);
    assert_eq!(f.storage.expire(10).await.expect("nothing"), 0);
    assert!(f.rescue().await.is_empty());
    assert!(f.claim_from(&["default"], 10).await.is_empty());
}

/// Quotes, zeros, other scripts, and long texts.
pub async fn odd_texts_survive(f: Fixture) {
    let text = format!("'\"\\%_;-- \u{0}\u{1}\n\t ünïcødé 漢字 🦀 {}", "x".repeat(100_000));
    let invocation = Invocation::new(JobName::new("suite", "odd"), &json!({ "text": text })).expect("JSON");
    f.store(NewJob { invocation, ..f.job("odd") }).await;
    let claimed = f.claim().await;
    let read: serde_json::Value = serde_json::from_str(&claimed.arguments).expect("JSON");
    assert_eq!(read["text"], text);
}

/// More than fits into one statement of any backend.
pub async fn a_large_batch_is_stored(f: Fixture) {
    let ids = f.enqueue_many(3_000).await;
    let mut claimed = f.claim_from(&["default"], 5_000).await;
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), ids, "in the order of the batch");
    claimed.truncate(1);
    let page = f.storage.jobs(&JobFilter::all(), &PageRequest::first(1)).await.expect("read");
    assert_eq!(page.jobs[0].id, *ids.last().expect("ids"));
}
