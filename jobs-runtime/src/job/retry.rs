use std::time::Duration;

/// How often a failed job is run again, and after what time.
///
/// As in Hangfire, `attempts` counts the *retries*: a job with `attempts = 3` runs at most four times.
///
/// ```
/// # use std::time::Duration;
/// use jobs_runtime::job::RetryPolicy;
///
/// let policy = RetryPolicy::fixed(3, Duration::from_secs(60));
/// assert_eq!(policy.delay(1, |_| 0), Some(Duration::from_secs(60)));
/// assert_eq!(policy.delay(4, |_| 0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many retries follow the first run.
    pub attempts: u32,
    /// The time before each of them.
    pub backoff: Backoff,
    /// At most this share of a delay, in percent, is added to it by chance, so that jobs that failed together
    /// don't come back together.
    pub jitter_percent: u8,
    /// What becomes of the job when the last retry has failed; [`OnExceeded::Fail`] by default.
    pub on_exceeded: OnExceeded,
}

/// The time between a failure and the retry that follows it.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Backoff {
    /// Hangfire's: (n − 1)⁴ + 15 + random(0..29) · n seconds before retry n.
    Hangfire,
    /// The same time before each retry.
    Fixed(Duration),
    /// n times this before retry n.
    Linear(Duration),
    /// `base` · `factor`ⁿ⁻¹ before retry n, at most `max`.
    Exponential {
        /// The time before the first retry.
        base: Duration,
        /// What each following time is multiplied by.
        factor: u32,
        /// The longest time.
        max: Duration,
    },
    /// One time for each retry; the last holds for all that follow it.
    Delays(&'static [Duration]),
    /// What a function returns for n before retry n; see [`RetryPolicy::by`].
    By(DelayFn),
}

/// A function that says what time there is before each retry.
#[derive(Clone, Copy, Debug)]
pub struct DelayFn(fn(u32) -> Duration);

impl PartialEq for DelayFn {
    /// Whether it is the same function at the same address.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// What becomes of a job whose last retry has failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnExceeded {
    /// It is Failed, and kept until someone decides.
    #[default]
    Fail,
    /// It is Deleted, with its failure in the history. For jobs that nobody will look after.
    Delete,
}

impl RetryPolicy {
    /// Hangfire's default: ten retries, 15 seconds to some two hours apart.
    ///
    /// Source: `AutomaticRetryAttribute.SecondsToDelayByAttemptFunc` of Hangfire.
    pub const HANGFIRE: Self = Self::of(10, Backoff::Hangfire);

    /// No retry: the first failure is the last.
    pub const NONE: Self = Self::of(0, Backoff::Hangfire);

    /// `attempts` retries, each after `delay`.
    #[must_use]
    pub const fn fixed(attempts: u32, delay: Duration) -> Self {
        Self::of(attempts, Backoff::Fixed(delay))
    }

    /// `attempts` retries, the n-th after n times `step`.
    #[must_use]
    pub const fn linear(attempts: u32, step: Duration) -> Self {
        Self::of(attempts, Backoff::Linear(step))
    }

    /// `attempts` retries, the first after `base`, each later one after `factor` times the time before it, at
    /// most `max`; with a jitter of 10 percent.
    #[must_use]
    pub const fn exponential(attempts: u32, base: Duration, factor: u32, max: Duration) -> Self {
        Self::of(attempts, Backoff::Exponential { base, factor, max }).with_jitter_percent(10)
    }

    /// One retry after each of `delays`.
    #[must_use]
    pub const fn delays(delays: &'static [Duration]) -> Self {
        Self::of(delays.len() as u32, Backoff::Delays(delays))
    }

    /// The same with another number of retries.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// `attempts` retries, the n-th after what `delay` returns for n.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jobs_runtime::job::RetryPolicy;
    ///
    /// const fn delay(n: u32) -> Duration {
    ///     Duration::from_secs(if n < 3 { 1 } else { 600 })
    /// }
    ///
    /// const POLICY: RetryPolicy = RetryPolicy::by(5, delay);
    /// assert_eq!(POLICY.delay(4, |_| 0), Some(Duration::from_secs(600)));
    /// ```
    #[must_use]
    pub const fn by(attempts: u32, delay: fn(u32) -> Duration) -> Self {
        Self::of(attempts, Backoff::By(DelayFn(delay)))
    }

    const fn of(attempts: u32, backoff: Backoff) -> Self {
        Self { attempts, backoff, jitter_percent: 0, on_exceeded: OnExceeded::Fail }
    }

    /// The same with another end when the last retry has failed.
    #[must_use]
    pub const fn with_on_exceeded(mut self, on_exceeded: OnExceeded) -> Self {
        self.on_exceeded = on_exceeded;
        self
    }

    /// The same with another jitter; more than 100 percent counts as 100.
    #[must_use]
    pub const fn with_jitter_percent(mut self, percent: u8) -> Self {
        self.jitter_percent = if percent > 100 { 100 } else { percent };
        self
    }

    /// The time before retry `n` (the first is 1), or `None` when there is no such retry.
    ///
    /// `random(bound)` must return a number from 0 to `bound` − 1.
    pub fn delay(&self, n: u32, mut random: impl FnMut(u64) -> u64) -> Option<Duration> {
        if n == 0 || n > self.attempts {
            return None;
        }
        let delay = self.backoff.before(n, &mut random);
        let most = delay.as_millis().saturating_mul(u128::from(self.jitter_percent)) / 100;
        let jitter = match u64::try_from(most).unwrap_or(u64::MAX) {
            0 => 0,
            most => random(most.saturating_add(1)),
        };
        Some(delay.saturating_add(Duration::from_millis(jitter)))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::HANGFIRE
    }
}

impl Backoff {
    fn before(&self, n: u32, random: &mut impl FnMut(u64) -> u64) -> Duration {
        match self {
            Self::Hangfire => {
                let n = u64::from(n);
                let power = (n - 1).saturating_pow(4);
                Duration::from_secs(power.saturating_add(15).saturating_add(random(30).saturating_mul(n)))
            }
            Self::Fixed(delay) => *delay,
            Self::Linear(step) => step.saturating_mul(n),
            Self::Exponential { base, factor, max } => {
                factor.checked_pow(n - 1).map_or(*max, |times| base.saturating_mul(times)).min(*max)
            }
            Self::Delays(delays) => {
                let index = (n as usize - 1).min(delays.len().saturating_sub(1));
                delays.get(index).copied().unwrap_or_default()
            }
            Self::By(delay) => delay.0(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RetryPolicy;

    fn seconds(policy: &RetryPolicy, random: u64) -> Vec<u64> {
        (1..).map_while(|n| policy.delay(n, |bound| random.min(bound - 1))).map(|delay| delay.as_secs()).collect()
    }

    #[test]
    fn hangfire_retries_ten_times_with_its_formula() {
        // (n - 1)^4 + 15 + r * n, computed by hand for r = 0 and r = 29.
        let lowest = [15, 16, 31, 96, 271, 640, 1_311, 2_416, 4_111, 6_576];
        let highest = [44, 74, 118, 212, 416, 814, 1_514, 2_648, 4_372, 6_866];
        assert_eq!(seconds(&RetryPolicy::HANGFIRE, 0), lowest);
        assert_eq!(seconds(&RetryPolicy::HANGFIRE, 29), highest);
    }

    #[test]
    fn each_backoff_follows_its_rule() {
        let second = Duration::from_secs(1);
        assert_eq!(seconds(&RetryPolicy::NONE, 0), [0; 0]);
        assert_eq!(seconds(&RetryPolicy::fixed(3, second * 7), 0), [7, 7, 7]);
        assert_eq!(seconds(&RetryPolicy::linear(3, second * 5), 0), [5, 10, 15]);
        let exponential = RetryPolicy::exponential(5, second, 3, second * 20).with_jitter_percent(0);
        assert_eq!(seconds(&exponential, 0), [1, 3, 9, 20, 20]);
        const DELAYS: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(60)];
        assert_eq!(seconds(&RetryPolicy::delays(DELAYS), 0), [1, 60]);
        assert_eq!(seconds(&RetryPolicy::delays(DELAYS).with_attempts(4), 0), [1, 60, 60, 60]);
        let squares = RetryPolicy::by(3, |n| Duration::from_secs(u64::from(n * n)));
        assert_eq!(seconds(&squares, 0), [1, 4, 9]);
    }

    #[test]
    fn huge_numbers_saturate() {
        let policy = RetryPolicy::HANGFIRE.with_attempts(u32::MAX);
        assert!(policy.delay(u32::MAX, |bound| bound - 1).is_some());
        let policy = RetryPolicy::exponential(u32::MAX, Duration::MAX, u32::MAX, Duration::MAX);
        assert_eq!(policy.delay(u32::MAX, |bound| bound - 1), Some(Duration::MAX));
    }

    #[test]
    fn jitter_adds_at_most_its_share() {
        let policy = RetryPolicy::fixed(1, Duration::from_secs(10)).with_jitter_percent(50);
        assert_eq!(policy.delay(1, |_| 0), Some(Duration::from_secs(10)));
        assert_eq!(policy.delay(1, |bound| bound - 1), Some(Duration::from_secs(15)));
    }
}
