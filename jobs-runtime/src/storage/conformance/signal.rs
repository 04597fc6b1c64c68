//! Waking those who wait.

use std::{sync::Arc, time::Duration};

use super::fixture::{Fixture, HOUR};
use crate::{
    schedule::ScheduleId,
    storage::{ScheduleContent, ScheduleWrite, Storage, Subscription, Topic},
};

/// A waiter on `storage`, which has seen everything up to now: signals of what happened before may be late, and
/// would wake it for nothing.
async fn waiter(storage: &Arc<dyn Storage>, topic: Topic) -> Subscription {
    let mut subscription = storage.signals().subscribe(topic);
    while is_woken(&mut subscription).await {}
    subscription
}

/// Whether a signal comes soon.
async fn is_woken(waiter: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::from_millis(50), waiter.changed()).await.is_ok()
}

/// Long enough for any machine; a signal comes within milliseconds.
async fn wakes(mut waiter: Subscription) {
    tokio::time::timeout(Duration::from_secs(10), waiter.changed()).await.expect("a signal");
}

/// Without polling.
pub async fn enqueueing_wakes_who_waits_for_work(f: Fixture) {
    let waiting = waiter(&f.storage, Topic::Ready).await;
    f.enqueue("work").await;
    wakes(waiting).await;
}

/// Elsewhere (apalis) a job pushed through another handle was found after half a minute.
pub async fn another_handle_wakes_too(f: Fixture) {
    let waiting = waiter(&f.other, Topic::Ready).await;
    f.enqueue("work").await;
    wakes(waiting).await;
}

/// It may be sooner than what the scheduler sleeps for.
pub async fn scheduling_wakes_the_scheduler(f: Fixture) {
    let waiting = waiter(&f.storage, Topic::Scheduled).await;
    f.schedule("later", HOUR).await;
    wakes(waiting).await;
}

/// It may be due sooner than what the server sleeps for; and its jobs are work.
pub async fn changing_a_schedule_wakes_who_follows_them(f: Fixture) {
    let id = ScheduleId::new("a").expect("an id");
    let content = ScheduleContent { next_run: None, definition: "{}".to_owned(), progress: "{}".to_owned() };
    let write = ScheduleWrite { id, found: None, content: Some(content), jobs: vec![f.job("work")] };
    let (follows, works) = (waiter(&f.other, Topic::Recurring).await, waiter(&f.other, Topic::Ready).await);
    f.storage.write_schedules(vec![write]).await.expect("written");
    wakes(follows).await;
    wakes(works).await;
}

/// Also through another handle.
pub async fn an_outcome_wakes_who_waits_for_it(f: Fixture) {
    f.enqueue("work").await;
    let job = f.claim().await;
    let waiting = [waiter(&f.storage, Topic::Finished).await, waiter(&f.other, Topic::Finished).await];
    f.finish(&job, f.success()).await;
    for waiting in waiting {
        wakes(waiting).await;
    }
}

/// Otherwise everyone who waits for anything would look at each write.
pub async fn what_does_not_concern_a_waiter_does_not_wake_it(f: Fixture) {
    let mut finished = waiter(&f.storage, Topic::Finished).await;
    f.enqueue("work").await;
    assert!(!is_woken(&mut finished).await, "nothing is finished");
    let mut ready = waiter(&f.storage, Topic::Ready).await;
    let job = f.claim().await;
    f.finish(&job, f.success()).await;
    assert!(!is_woken(&mut ready).await, "nothing is ready");
    wakes(finished).await;
}

/// Which of several a server has lost, and a signal when it does.
pub async fn revoked_claims_are_told(f: Fixture) {
    f.enqueue_many(3).await;
    let jobs = f.claim_from(&["default"], 3).await;
    let claims: Vec<_> = jobs.iter().map(|job| (job.id, job.token)).collect();
    assert!(f.other.revoked(claims.clone()).await.expect("asked").is_empty());
    let waiting = waiter(&f.storage, Topic::Revoked).await;
    f.requeue(jobs[1].id).await;
    wakes(waiting).await;
    assert_eq!(f.other.revoked(claims.clone()).await.expect("asked"), [claims[1]]);
    f.claim().await;
    let revoked = f.storage.revoked(claims.clone()).await.expect("asked");
    assert_eq!(revoked, [claims[1]], "claimed again is another claim");
}
