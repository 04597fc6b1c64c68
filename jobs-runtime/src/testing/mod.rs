//! Helps to test programs that have jobs.

mod signatures;

use std::time::Duration;

use tokio::sync::watch;

pub use self::signatures::assert_signatures;
use crate::clock::{Clock, Timestamp, after};

/// A clock that stands still until it is moved.
///
/// ```
/// use std::time::Duration;
/// use jobs_runtime::{storage::memory::MemoryOptions, testing::TestClock};
///
/// let clock = TestClock::new();
/// let storage = MemoryOptions::new().clock(clock.clock()).open();
/// let before = storage.clock().now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!((storage.clock().now() - before).num_hours(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct TestClock {
    clock: Clock,
    hand: watch::Sender<Timestamp>,
}

impl TestClock {
    /// A clock that shows the first moment of the year 2030.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::from_timestamp(1_893_456_000, 0).unwrap_or_default())
    }

    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        let (clock, hand) = Clock::manual(start);
        Self { clock, hand }
    }

    /// The clock to give to a storage.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock forward, and wakes those who slept until then.
    pub fn advance(&self, duration: Duration) {
        self.hand.send_modify(|now| *now = after(*now, duration));
    }

    /// Sets the clock, also backwards.
    pub fn set(&self, now: Timestamp) {
        self.hand.send_replace(now);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}
