//! The one clock: the only place of the crate that reads the system's time.
//!
//! A storage owns a [`Clock`], and everything that stores or compares times asks it. Tests replace it by
//! a [`TestClock`](crate::testing::TestClock) and move it by hand instead of sleeping.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// A moment in UTC, kept to the microsecond because that is what every storage can hold.
pub type Timestamp = DateTime<Utc>;

/// Tells the time and sleeps by it; cheap to clone.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(watch::Sender<Timestamp>),
    /// By how many microseconds another clock, which this one follows, is ahead of the system's.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        expect(dead_code, reason = "of the storages, only these have a clock of their own")
    )]
    Shifted(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The system's clock, shifted by so many microseconds; the number may be changed.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn shifted(by: Arc<AtomicI64>) -> Self {
        Self(Source::Shifted(by))
    }

    pub(crate) fn manual(start: Timestamp) -> (Self, watch::Sender<Timestamp>) {
        let hand = watch::Sender::new(to_micros(start));
        (Self(Source::Manual(hand.clone())), hand)
    }

    /// The present moment, to the microsecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => to_micros(system_now()),
            Source::Manual(hand) => *hand.borrow(),
            Source::Shifted(by) => {
                let now = to_micros(system_now());
                now.checked_add_signed(TimeDelta::microseconds(by.load(Ordering::Relaxed))).unwrap_or(now)
            }
        }
    }

    /// Waits until this clock shows `moment`; returns at once if it already does.
    pub async fn sleep_until(&self, moment: Timestamp) {
        match &self.0 {
            Source::System | Source::Shifted(_) => {
                // Asked again after each sleep: the timer is monotonic, the clock may have been set.
                while let Some(rest) = positive(moment - self.now()) {
                    tokio::time::sleep(rest.min(Duration::from_secs(60))).await;
                }
            }
            Source::Manual(hand) => {
                let mut shown = hand.subscribe();
                // The sender lives in `self`, so this can't fail.
                let _ = shown.wait_for(|now| *now >= moment).await;
            }
        }
    }

    /// Waits for `duration`, whether or not the clock is set meanwhile.
    pub async fn sleep(&self, duration: Duration) {
        self.timer(duration).await;
    }

    /// A wait for `duration` that begins now, and not when it is first awaited.
    pub(crate) fn timer(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (clock, began, at) = (self.clone(), tokio::time::Instant::now(), after(self.now(), duration));
        async move {
            match &clock.0 {
                Source::System | Source::Shifted(_) => {
                    tokio::time::sleep(duration.saturating_sub(began.elapsed())).await
                }
                Source::Manual(_) => clock.sleep_until(at).await,
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::System",
            Source::Manual(_) => "Clock::Manual",
            Source::Shifted(_) => "Clock::Shifted",
        })
    }
}

/// `moment + duration`, at most [`LATEST`].
#[must_use]
pub fn after(moment: Timestamp, duration: Duration) -> Timestamp {
    let sum = TimeDelta::from_std(duration).ok().and_then(|delta| moment.checked_add_signed(delta));
    sum.map_or(LATEST, |sum| sum.min(LATEST))
}

/// `moment - duration`, at least the Unix epoch.
#[must_use]
pub fn before(moment: Timestamp, duration: Duration) -> Timestamp {
    let difference = TimeDelta::from_std(duration).ok().and_then(|delta| moment.checked_sub_signed(delta));
    difference.map_or(Timestamp::UNIX_EPOCH, |difference| difference.max(Timestamp::UNIX_EPOCH))
}

/// The last moment that a storage is asked to keep: the end of the year 9999.
pub const LATEST: Timestamp = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(moment) => moment,
    None => Timestamp::UNIX_EPOCH,
};

/// Cuts what is finer than a microsecond, so that a time reads back from any storage as it was written.
pub(crate) fn to_micros(moment: Timestamp) -> Timestamp {
    DateTime::from_timestamp_micros(moment.timestamp_micros()).unwrap_or(moment)
}

fn positive(delta: TimeDelta) -> Option<Duration> {
    delta.to_std().ok().filter(|duration| !duration.is_zero())
}

#[expect(clippy::disallowed_methods, reason = "this is the clock: everything else asks it")]
fn system_now() -> Timestamp {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LATEST, Timestamp, after, before};

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn no_sum_is_later_than_a_storage_can_keep() {
        for long in [DAY, DAY * 365 * 100_000, Duration::MAX] {
            assert_eq!(after(LATEST - DAY / 2, long), LATEST);
        }
        assert_eq!(after(LATEST - DAY * 2, DAY), LATEST - DAY);
    }

    #[test]
    fn no_difference_is_before_1970() {
        let moment = Timestamp::UNIX_EPOCH + DAY;
        for long in [DAY, DAY * 365 * 100_000, Duration::MAX] {
            assert_eq!(before(moment, long), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(before(moment + DAY, DAY), moment);
    }
}
