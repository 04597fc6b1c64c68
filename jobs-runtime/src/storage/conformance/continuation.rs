//! Jobs that await others.

use super::fixture::Fixture;
use crate::{
    job::JobId,
    state::{StateName, StateName::*},
    storage::{Initial, NewJob},
};

async fn states(f: &Fixture, ids: &[JobId]) -> Vec<StateName> {
    let mut states = Vec::new();
    for id in ids {
        states.push(f.state(*id).await);
    }
    states
}

/// In the parent's own commit: elsewhere (Hangfire #1830, #1035) some stayed behind under load.
pub async fn a_continuation_waits_and_follows(f: Fixture) {
    let parent = f.enqueue("parent").await;
    let child = f.continue_with(parent, "child").await;
    let job = f.claim().await;
    assert_eq!(states(&f, &[parent, child]).await, [Processing, Awaiting]);
    f.finish(&job, f.success()).await;
    assert_eq!(states(&f, &[parent, child]).await, [Succeeded, Enqueued]);
    assert_eq!(f.claim().await.id, child);
    let history = f.history(child).await;
    assert!(
        history.starts_with(&format!("awaiting {{\"parent\":\"{parent}\"}}\nenqueued (the awaited job succeeded)")),
        "{history}"
    );
}

/// There is nothing to wait for.
pub async fn a_parent_that_succeeded_before_releases_at_once(f: Fixture) {
    let parent = f.succeed_one("parent").await;
    let child = f.continue_with(parent, "child").await;
    assert_eq!(f.state(child).await, Enqueued);
    let deleted = f.enqueue("deleted").await;
    f.delete(deleted).await;
    let child = f.continue_with(deleted, "child").await;
    assert_eq!(f.state(child).await, Deleted);
}

/// As in Hangfire.
pub async fn a_deleted_parent_deletes_what_awaits_it(f: Fixture) {
    let parent = f.enqueue("parent").await;
    let child = f.continue_with(parent, "child").await;
    f.delete(parent).await;
    assert_eq!(f.state(child).await, Deleted);
    assert!(f.history(child).await.contains("deleted (the awaited job was deleted) {}"));
}

/// However long it is.
pub async fn deletion_goes_down_the_whole_line(f: Fixture) {
    let mut line = vec![f.enqueue("first").await];
    for _ in 0..50 {
        line.push(f.continue_with(line[line.len() - 1], "next").await);
    }
    f.delete(line[0]).await;
    assert_eq!(states(&f, &line).await, vec![Deleted; 51]);
}

/// A failed job may still be requeued and succeed.
pub async fn a_failed_parent_releases_nothing_until_it_succeeds(f: Fixture) {
    let parent = f.enqueue("parent").await;
    let child = f.continue_with(parent, "child").await;
    let job = f.claim().await;
    f.finish(&job, f.failure()).await;
    assert_eq!(states(&f, &[parent, child]).await, [Failed, Awaiting]);
    f.requeue(parent).await;
    let job = f.claim().await;
    f.finish(&job, f.success()).await;
    assert_eq!(states(&f, &[parent, child]).await, [Succeeded, Enqueued]);
}

/// Several of several parents, finished in one batch.
pub async fn many_continuations_follow_at_once(f: Fixture) {
    let parents = f.enqueue_many(20).await;
    let mut children = Vec::new();
    for parent in &parents {
        for _ in 0..3 {
            children.push(f.continue_with(*parent, "child").await);
        }
    }
    let jobs = f.claim_from(&["default"], 20).await;
    let finish = |job: &crate::storage::ClaimedJob| crate::storage::Finish {
        job: job.id,
        token: job.token,
        transition: f.success(),
    };
    f.storage.finish(jobs.iter().map(finish).collect()).await.expect("finished");
    assert_eq!(states(&f, &children).await, vec![Enqueued; 60]);
    assert_eq!(f.storage.counts().await.expect("counted").of(Awaiting).value, 0);
}

/// In one batch, in either order.
pub async fn a_parent_and_its_continuation_are_stored_together(f: Fixture) {
    let parent = f.job("parent");
    let child = NewJob { initial: Initial::Awaiting(parent.id), ..f.job("child") };
    let ids = [parent.id, child.id];
    f.storage.enqueue(vec![child, parent]).await.expect("stored");
    assert_eq!(states(&f, &ids).await, [Enqueued, Awaiting]);
}
