//! Putting scheduled jobs into their queues.

use super::fixture::{Fixture, HOUR, SECOND};
use crate::{
    state::StateName,
    storage::{Initial, NewJob},
};

/// Whatever the order in which they were stored.
pub async fn due_jobs_enter_their_queues_in_the_order_of_their_time(f: Fixture) {
    let third = f.schedule("third", SECOND * 30).await;
    let first = f.schedule("first", SECOND * 10).await;
    let second = f.schedule("second", SECOND * 20).await;
    f.clock.advance(SECOND * 30);
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 3);
    let ids: Vec<_> = f.claim_from(&["default"], 10).await.iter().map(|job| job.id).collect();
    assert_eq!(ids, [first, second, third]);
    assert!(f.history(first).await.contains("enqueued (its time has come) {}"));
}

/// Not a microsecond early.
pub async fn jobs_that_are_not_due_stay(f: Fixture) {
    let id = f.schedule("later", HOUR).await;
    f.clock.advance(HOUR - std::time::Duration::from_micros(1));
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 0);
    assert_eq!(f.state(id).await, StateName::Scheduled);
    f.clock.advance(std::time::Duration::from_micros(1));
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 1);
}

/// So that a scheduler can sleep until then.
pub async fn the_next_due_time_is_told(f: Fixture) {
    assert_eq!(f.storage.promote(10).await.expect("promoted").next_due, None);
    f.schedule("now", SECOND).await;
    f.schedule("later", HOUR).await;
    let later = f.clock.now() + HOUR;
    assert_eq!(f.storage.promote(10).await.expect("promoted").next_due, Some(f.clock.now() + SECOND));
    f.clock.advance(SECOND);
    let promotion = f.storage.promote(1).await.expect("promoted");
    assert_eq!((promotion.promoted, promotion.next_due), (1, Some(later)));
}

/// Elsewhere (apalis-redis) that many overflowed a script, and the worker exited having run none.
pub async fn ten_thousand_due_jobs_are_promoted_in_bounded_batches(f: Fixture) {
    let at = f.clock.now() + SECOND;
    for _ in 0..4 {
        let jobs = (0..2_500).map(|_| NewJob { initial: Initial::Scheduled(at), ..f.job("due") }).collect();
        f.storage.enqueue(jobs).await.expect("stored");
    }
    f.clock.advance(HOUR);
    let mut promoted = Vec::new();
    while promoted.last() != Some(&0) {
        promoted.push(f.storage.promote(3_000).await.expect("promoted").promoted);
    }
    assert_eq!(promoted, [3_000, 3_000, 3_000, 1_000, 0]);
    let queues = f.storage.queues().await.expect("read");
    assert_eq!((queues[0].enqueued.value, queues[0].enqueued.capped), (10_000, false));
}
