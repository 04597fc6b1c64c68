//! From where on claims look for waiting jobs.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::job::QueueName;

/// The least place that the last claim found, of each queue and rank.
///
/// The rows of jobs that were claimed stay in the index of `ready` until no transaction can see them any more. While a
/// long one is open, each claim would walk over all of them. So claims begin where the last one did.
///
/// It is a hint: a job below it, because its transaction was committed late or it came back, waits until the next claim
/// that begins at the beginning. That is one whenever a claim got less than it wanted, and one every second.
#[derive(Debug)]
pub(super) struct Watermarks(Mutex<Lows>);

#[derive(Debug)]
struct Lows {
    since: Instant,
    /// How long it is until a claim begins at the beginning again.
    keep: Duration,
    by_queue: HashMap<QueueName, BTreeMap<i32, i64>>,
    /// How often they were forgotten: a claim that began to look before tells nothing of what came back since.
    generation: u64,
}

/// Where a claim looks, one lane after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    generation: u64,
}

impl Deref for Lanes {
    type Target = [Lane];

    fn deref(&self) -> &[Lane] {
        &self.lanes
    }
}

/// A part of a queue, in the order of the index: ranks from `first_rank`, in it from `first_seq`, up to `last_rank`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lane {
    pub(super) queue: QueueName,
    pub(super) first_rank: i32,
    pub(super) first_seq: i64,
    pub(super) last_rank: i32,
}

/// How long claims don't begin at the beginning, at least.
const KEEP: Duration = Duration::from_secs(1);

/// So much longer than a claim that does: it takes a small part of the time, however long it takes.
const KEEP_FACTOR: u32 = 20;

/// How many ranks of a queue are told apart.
const MOST_RANKS: usize = 8;

impl Watermarks {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Lows { since: Instant::now(), keep: KEEP, by_queue: HashMap::new(), generation: 0 }))
    }

    /// Where a claim is to look.
    pub(super) fn lanes(&self, queues: &[QueueName]) -> Lanes {
        let mut lows = self.lows();
        if lows.since.elapsed() >= lows.keep && !lows.by_queue.is_empty() {
            lows.forget();
        }
        let lanes = queues.iter().flat_map(|queue| lanes_of(queue, lows.by_queue.get(queue))).collect();
        Lanes { lanes, generation: lows.generation }
    }

    /// Notes where a claim found jobs, in the order in which they waited; `lanes` is where it looked, and `took` how long
    /// that took. Of no effect if what was known was forgotten meanwhile.
    pub(super) fn found(&self, lanes: &Lanes, places: &[(QueueName, i32, i64)], took: Duration) {
        let mut lows = self.lows();
        if lows.generation != lanes.generation {
            return;
        }
        if lows.by_queue.is_empty() {
            (lows.since, lows.keep) = (Instant::now(), KEEP.max(took.saturating_mul(KEEP_FACTOR)));
        }
        for (queue, rank, seq) in places.iter().rev() {
            // Of each rank the earliest stays, because it comes last here.
            lows.by_queue.entry(queue.clone()).or_default().insert(*rank, *seq);
        }
        lows.by_queue.retain(|queue, ranks| ranks.len() <= MOST_RANKS && lanes.iter().any(|lane| lane.queue == *queue));
    }

    /// The next claim begins at the beginning.
    pub(super) fn forget(&self) {
        self.lows().forget();
    }

    fn lows(&self) -> MutexGuard<'_, Lows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lows {
    fn forget(&mut self) {
        self.by_queue.clear();
        self.generation += 1;
    }
}

/// The ranks that are known from where they are known on, and all others between them whole.
fn lanes_of(queue: &QueueName, lows: Option<&BTreeMap<i32, i64>>) -> Vec<Lane> {
    let lane = |first_rank, first_seq, last_rank| Lane { queue: queue.clone(), first_rank, first_seq, last_rank };
    let mut lanes = Vec::with_capacity(1);
    let mut next_rank = i32::MIN;
    for (rank, seq) in lows.into_iter().flatten() {
        if *rank > next_rank {
            lanes.push(lane(next_rank, i64::MIN, rank - 1));
        }
        lanes.push(lane(*rank, *seq, *rank));
        next_rank = rank + 1;
    }
    lanes.push(lane(next_rank, i64::MIN, i32::MAX));
    lanes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lane, MOST_RANKS, Watermarks};
    use crate::job::QueueName;

    fn lane(first_rank: i32, first_seq: i64, last_rank: i32) -> Lane {
        Lane { queue: QueueName::DEFAULT, first_rank, first_seq, last_rank }
    }

    fn found(watermarks: &Watermarks, places: &[(i32, i64)]) {
        let lanes = watermarks.lanes(&[QueueName::DEFAULT]);
        let places: Vec<_> = places.iter().map(|(rank, seq)| (QueueName::DEFAULT, *rank, *seq)).collect();
        watermarks.found(&lanes, &places, Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn claims_begin_where_the_last_one_did() {
        let watermarks = Watermarks::new();
        let all = [lane(i32::MIN, i64::MIN, i32::MAX)];
        assert_eq!(*watermarks.lanes(&[QueueName::DEFAULT]), all);
        found(&watermarks, &[(-5, 70), (-5, 71), (0, 3), (0, 4)]);
        let lanes = [
            lane(i32::MIN, i64::MIN, -6),
            lane(-5, 70, -5),
            lane(-4, i64::MIN, -1),
            lane(0, 3, 0),
            lane(1, i64::MIN, i32::MAX),
        ];
        assert_eq!(*watermarks.lanes(&[QueueName::DEFAULT]), lanes);
        found(&watermarks, &[(0, 9)]);
        assert_eq!(watermarks.lanes(&[QueueName::DEFAULT])[3], lane(0, 9, 0));
        watermarks.forget();
        assert_eq!(*watermarks.lanes(&[QueueName::DEFAULT]), all);
    }

    /// A job may have come back below where that claim looked.
    #[tokio::test(start_paused = true)]
    async fn a_claim_that_was_on_its_way_brings_nothing_back_that_was_forgotten() {
        let watermarks = Watermarks::new();
        found(&watermarks, &[(0, 9)]);
        let lanes = watermarks.lanes(&[QueueName::DEFAULT]);
        watermarks.forget();
        watermarks.found(&lanes, &[(QueueName::DEFAULT, 0, 10)], Duration::ZERO);
        assert_eq!(*watermarks.lanes(&[QueueName::DEFAULT]), [lane(i32::MIN, i64::MIN, i32::MAX)]);
    }

    #[tokio::test(start_paused = true)]
    async fn they_begin_at_the_beginning_now_and_then() {
        let watermarks = Watermarks::new();
        let all = [lane(i32::MIN, i64::MIN, i32::MAX)];
        found(&watermarks, &[(0, 9)]);
        tokio::time::advance(Duration::from_millis(1_900)).await;
        found(&watermarks, &[(0, 10)]);
        assert_eq!(watermarks.lanes(&[QueueName::DEFAULT])[1], lane(0, 10, 0));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(*watermarks.lanes(&[QueueName::DEFAULT]), all, "a claim of 100 ms may be made every two seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn many_ranks_are_not_told_apart() {
        let watermarks = Watermarks::new();
        let places: Vec<(i32, i64)> = (0..=MOST_RANKS as i32).map(|rank| (rank, 1)).collect();
        found(&watermarks, &places);
        assert_eq!(watermarks.lanes(&[QueueName::DEFAULT]).len(), 1);
    }
}
