//! What can be set of every SQL storage.

use std::time::Duration;

use crate::{
    clock::Clock,
    storage::{Count, Guarded, Intervals, Retention, StorageError, StorageResult, connect::invalid},
};

/// The settings that all SQL storages have; each has the setters of [`common_setters!`].
#[derive(Clone, Debug)]
pub(crate) struct CommonOptions {
    /// The storage's URL without secrets.
    pub(crate) storage: String,
    pub(crate) prepare_schema: bool,
    pub(crate) retention: Retention,
    pub(crate) intervals: Intervals,
    pub(crate) list_limit: u64,
    pub(crate) transaction_timeout: Duration,
    /// `None` for the database's own, or the system's where it has none.
    pub(crate) clock: Option<Clock>,
}

impl CommonOptions {
    pub(crate) fn new(storage: String) -> Self {
        Self {
            storage,
            prepare_schema: true,
            retention: Retention::DEFAULT,
            intervals: Intervals::default(),
            list_limit: Count::CAP,
            transaction_timeout: Guarded::DEFAULT_LIMIT,
            clock: None,
        }
    }

    /// Sets what a parameter of a URL says; `None` if it is none of these.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let intervals = &mut self.intervals;
        let done = match key {
            "prepare_schema" => flag(key, value).map(|flag| self.prepare_schema = flag),
            "queue_poll_interval" => time(key, value).map(|time| intervals.queue_poll = time),
            "expiration_check_interval" => time(key, value).map(|time| intervals.expiration_check = time),
            "counters_aggregation_interval" => time(key, value).map(|time| intervals.counters_aggregation = time),
            "transaction_timeout" => time(key, value).map(|time| self.transaction_timeout = time),
            "list_limit" => number(key, value).map(|limit| self.list_limit = limit),
            _ => return None,
        };
        Some(done)
    }

    /// Refuses what can't be.
    pub(crate) fn check(&self) -> StorageResult<()> {
        let times = [
            ("queue_poll_interval", self.intervals.queue_poll),
            ("expiration_check_interval", self.intervals.expiration_check),
            ("counters_aggregation_interval", self.intervals.counters_aggregation),
            ("transaction_timeout", self.transaction_timeout),
        ];
        if let Some((name, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(self.open_error(format!("`{name}` must be longer than zero")));
        }
        if self.list_limit == 0 || self.list_limit > MOST_LISTED {
            return Err(self.open_error(format!("`list_limit={}` must be from 1 to {MOST_LISTED}", self.list_limit)));
        }
        Ok(())
    }

    /// An error for what keeps the storage from being opened.
    pub(crate) fn open_error(&self, reason: impl Into<String>) -> StorageError {
        StorageError::Open { storage: self.storage.clone(), reason: reason.into(), source: None }
    }
}

/// So that a page of a dashboard is made in a bounded time.
const MOST_LISTED: u64 = 1_000_000;

/// Reads a parameter that is `true` or `false`.
pub(crate) fn flag(key: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{key}={value}` must be `true` or `false`"))
}

/// Reads a parameter that is a number.
pub(crate) fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{key}={value}` must be a number"))
}

/// Reads a parameter that is a length of time, such as `200ms`, `15s`, `5m` or `1h`.
pub(crate) fn time(key: &str, value: &str) -> Result<Duration, String> {
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let millis = match &value[digits..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let length = value[..digits].parse::<u64>().ok().zip(millis).and_then(|(count, unit)| count.checked_mul(unit));
    length.map(Duration::from_millis).ok_or_else(|| {
        format!("`{key}={value}` must be a whole number with its unit, such as `200ms`, `15s`, `5m` or `1h`")
    })
}

/// A URL whose query has parameters of this library beside those of a driver.
pub(crate) struct Url<'u> {
    whole: &'u str,
    /// What stands before the query.
    pub(crate) base: &'u str,
    pairs: Vec<(&'u str, &'u str)>,
}

impl<'u> Url<'u> {
    pub(crate) fn parse(url: &'u str) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self { whole: url, base, pairs: pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect() }
    }

    /// Gives each parameter to `set`; returns the URL with those that it does not know, which are for the driver.
    pub(crate) fn apply(&self, mut set: impl FnMut(&str, &str) -> Option<Result<(), String>>) -> StorageResult<String> {
        let mut others = Vec::new();
        for (key, value) in &self.pairs {
            match set(key, value) {
                Some(Ok(())) => {}
                Some(Err(reason)) => return Err(self.invalid(reason)),
                None => others.push(format!("{key}={value}")),
            }
        }
        let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
        Ok(format!("{}{query}", self.base))
    }

    pub(crate) fn invalid(&self, reason: impl Into<String>) -> StorageError {
        invalid(self.whole, reason)
    }
}

/// The setters of [`CommonOptions`], for a struct that has them as `common`.
macro_rules! common_setters {
    () => {
        /// Whether to create and upgrade the tables when the storage is opened; `true` by default.
        ///
        /// With `false` they must be there, made by [`migrate`](Self::migrate) in a program with the rights to do so, or by
        /// hand from [`migrations`](Self::migrations).
        #[must_use]
        pub fn prepare_schema(mut self, prepare: bool) -> Self {
            self.common.prepare_schema = prepare;
            self
        }

        /// How long finished jobs are kept.
        #[must_use]
        pub fn retention(mut self, retention: $crate::storage::Retention) -> Self {
            self.common.retention = retention;
            self
        }

        /// How often servers remove what has expired; every 60 s by default, and never zero.
        #[must_use]
        pub fn expiration_check_interval(mut self, interval: std::time::Duration) -> Self {
            self.common.intervals.expiration_check = interval;
            self
        }

        /// How far jobs are counted for [`Monitor::counts`](crate::storage::Monitor::counts) and
        /// [`queues`](crate::storage::Monitor::queues): 10,000 by default, from 1 to 1,000,000. Beyond it a count says only
        /// that there are more.
        #[must_use]
        pub fn list_limit(mut self, jobs: u64) -> Self {
            self.common.list_limit = jobs;
            self
        }

        /// How long one verb of the storage may take before it fails with
        /// [`StorageError::Timeout`](crate::storage::StorageError::Timeout); 30 s by default.
        #[must_use]
        pub fn transaction_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.common.transaction_timeout = timeout;
            self
        }
    };
}
pub(crate) use common_setters;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Url, time};

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("t", "200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(time("t", "15s"), Ok(Duration::from_secs(15)));
        assert_eq!(time("t", "5m"), Ok(Duration::from_secs(300)));
        assert_eq!(time("t", "1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["", "5", "s", "-1s", "1.5s", "5 s", "5d", "99999999999999999999s", "9999999999999999h"] {
            assert!(time("t", wrong).expect_err(wrong).contains(&format!("`t={wrong}`")), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_ours_is_the_drivers() {
        let url = Url::parse("x://host/db?a=1&sslmode=off&b");
        let mut own = Vec::new();
        let rest = url.apply(|key, value| {
            let ours = key != "sslmode";
            ours.then(|| own.push(format!("{key}:{value}"))).map(Ok)
        });
        assert_eq!(rest.expect("valid"), "x://host/db?sslmode=off");
        assert_eq!(own, ["a:1", "b:"]);
    }
}
