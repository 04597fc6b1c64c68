//! Waking those who wait.

use std::{sync::Arc, time::Duration};

use super::fixture::{Fixture, HOUR};
use crate::storage::{Storage, Subscription, Topic};

/// A waiter on `storage`, which has seen everything up to now.
fn waiter(storage: &Arc<dyn Storage>, topic: Topic) -> Subscription {
    let mut subscription = storage.signals().subscribe(topic);
    subscription.reset();
    subscription
}

/// Long enough for any machine; a signal comes within milliseconds.
async fn wakes(mut waiter: Subscription) {
    tokio::time::timeout(Duration::from_secs(10), waiter.changed()).await.expect("a signal");
}

/// Without polling.
pub async fn enqueueing_wakes_who_waits_for_work(f: Fixture) {
    let waiting = waiter(&f.storage, Topic::Ready);
    f.enqueue("work").await;
    wakes(waiting).await;
}

/// Elsewhere (apalis) a job pushed through another handle was found after half a minute.
pub async fn another_handle_wakes_too(f: Fixture) {
    let waiting = waiter(&f.other, Topic::Ready);
    f.enqueue("work").await;
    wakes(waiting).await;
}

/// It may be sooner than what the scheduler sleeps for.
pub async fn scheduling_wakes_the_scheduler(f: Fixture) {
    let waiting = waiter(&f.storage, Topic::Scheduled);
    f.schedule("later", HOUR).await;
    wakes(waiting).await;
}

/// Also through another handle.
pub async fn an_outcome_wakes_who_waits_for_it(f: Fixture) {
    f.enqueue("work").await;
    let job = f.claim().await;
    let waiting = [waiter(&f.storage, Topic::Finished), waiter(&f.other, Topic::Finished)];
    f.finish(&job, f.success()).await;
    for waiting in waiting {
        wakes(waiting).await;
    }
}

/// Which of several a server has lost, and a signal when it does.
pub async fn revoked_claims_are_told(f: Fixture) {
    f.enqueue_many(3).await;
    let jobs = f.claim_from(&["default"], 3).await;
    let claims: Vec<_> = jobs.iter().map(|job| (job.id, job.token)).collect();
    assert!(f.other.revoked(claims.clone()).await.expect("asked").is_empty());
    let waiting = waiter(&f.storage, Topic::Revoked);
    f.requeue(jobs[1].id).await;
    wakes(waiting).await;
    assert_eq!(f.other.revoked(claims.clone()).await.expect("asked"), [claims[1]]);
    f.claim().await;
    let revoked = f.storage.revoked(claims.clone()).await.expect("asked");
    assert_eq!(revoked, [claims[1]], "claimed again is another claim");
}
