//! Taking jobs from their queues.

use std::collections::HashSet;

use super::fixture::{Fixture, SECOND, queue, server};
use crate::{
    job::JobId,
    state::StateName,
    storage::{Claim, ClaimedJob, NewJob},
};

fn methods(jobs: &[ClaimedJob]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.method()).collect()
}

/// A later queue is looked at only when those before it are empty, within one claim too.
pub async fn queues_come_in_the_order_given(f: Fixture) {
    for (method, name) in [("c1", "c"), ("a1", "a"), ("b1", "b"), ("a2", "a")] {
        f.store(NewJob { queue: queue(name), priority: 0, ..f.job(method) }).await;
    }
    assert_eq!(methods(&f.claim_from(&["b", "a", "c"], 2).await), ["b1", "a1"]);
    assert_eq!(methods(&f.claim_from(&["b", "a", "c"], 5).await), ["a2", "c1"]);
}

/// Negative priorities come last.
pub async fn higher_priority_comes_first_then_age(f: Fixture) {
    for (method, priority) in
        [("low", -1), ("old", 0), ("high", 9), ("young", 0), ("highest", i16::MAX), ("lowest", i16::MIN)]
    {
        f.store(NewJob { priority, ..f.job(method) }).await;
    }
    let claimed = f.claim_from(&["default"], 10).await;
    assert_eq!(methods(&claimed), ["highest", "high", "old", "young", "low", "lowest"]);
}

/// And leaves the rest for the next.
pub async fn a_claim_takes_no_more_than_its_limit(f: Fixture) {
    f.enqueue_many(5).await;
    assert_eq!(f.claim_from(&["default"], 2).await.len(), 2);
    assert_eq!(f.claim_from(&["default"], 10).await.len(), 3);
    assert_eq!(f.claim_from(&["default"], 10).await.len(), 0);
}

/// A server takes from the queues it serves only.
pub async fn other_queues_are_left_alone(f: Fixture) {
    let id = f.store(NewJob { queue: queue("mail"), ..f.job("mail") }).await;
    assert!(f.claim_from(&["default", "mails", "mai"], 10).await.is_empty());
    assert_eq!(f.state(id).await, StateName::Enqueued);
}

/// Elsewhere (fang) the reading and the taking were two steps, and jobs ran twice.
pub async fn a_job_is_claimed_once_by_many_claimers(f: Fixture) {
    let ids: HashSet<JobId> = f.enqueue_many(400).await.into_iter().collect();
    let claimers = (0..8).map(|n| {
        let storage = if n % 2 == 0 { f.storage.clone() } else { f.other.clone() };
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claim = Claim { server: server(&format!("s{n}")), queues: [queue("default")].into(), limit: 7 };
                match storage.claim(claim).await.expect("claimed") {
                    jobs if jobs.is_empty() => return mine,
                    jobs => mine.extend(jobs.into_iter().map(|job| job.id)),
                }
            }
        })
    });
    let mut claimed = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        claimed.extend(claimer.await.expect("a claimer"));
    }
    assert_eq!(claimed.len(), 400);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), ids);
}

/// A client whose clock is an hour behind doesn't get ahead of jobs that were stored before.
pub async fn age_is_the_order_of_storing_not_of_clocks(f: Fixture) {
    f.enqueue("first").await;
    f.clock.set(f.clock.now() - SECOND * 3600);
    f.enqueue("second").await;
    assert_eq!(methods(&f.claim_from(&["default"], 2).await), ["first", "second"]);
}

/// Also two deliveries of one job.
pub async fn each_delivery_has_its_own_token(f: Fixture) {
    let id = f.enqueue("again").await;
    let first = f.claim().await;
    f.requeue(id).await;
    let second = f.claim().await;
    assert_eq!(first.id, second.id);
    assert_ne!(first.token, second.token);
}
