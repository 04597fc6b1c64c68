use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, TimeZone};
use jobs_cron::{CronError, CronExpression};
use serde::{Deserialize, Serialize};

use super::{search::first_from, wall_clock::WallClock};

/// A cron expression, and the times at which it fires; cheap to clone.
///
/// It is shown and stored as it was written. Two are equal if they mean the same: `@daily` equals `0 0 * * *`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CronSchedule(Arc<WallClock>);

impl CronSchedule {
    /// Reads an expression; the grammar is described at [`CronExpression`].
    ///
    /// # Errors
    ///
    /// [`CronError`] tells what is wrong, and where; `{error:#}` marks it under the expression.
    ///
    /// ```
    /// # use jobs_runtime::schedule::CronSchedule;
    /// let error = CronSchedule::parse("61 * * * *").unwrap_err();
    /// assert_eq!(error.to_string(), "`61` in the field `Minutes` of `61 * * * *` is out of range: use 0 to 59");
    /// ```
    pub fn parse(text: &str) -> Result<Self, CronError> {
        CronExpression::parse(text).map(Self::from)
    }

    /// The first time after `from` at which it fires, in the time zone of `from`; with `inclusive`, `from` itself if it
    /// is one.
    ///
    /// A fraction of a second in `from` is past its second, so that second isn't found. None if there is no such time
    /// until the end of the year 9999.
    ///
    /// ```
    /// # use chrono::DateTime;
    /// # use jobs_runtime::schedule::CronSchedule;
    /// let noon = DateTime::parse_from_rfc3339("2026-11-20T12:00:00+01:00")?;
    /// let hourly = CronSchedule::parse("@hourly")?;
    /// assert_eq!(hourly.next_after(&noon, true), Some(noon));
    /// assert_eq!(hourly.next_after(&noon, false), Some(DateTime::parse_from_rfc3339("2026-11-20T13:00:00+01:00")?));
    /// assert_eq!(CronSchedule::parse("0 0 31 2 *")?.next_after(&noon, false), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_after<Tz: TimeZone>(&self, from: &DateTime<Tz>, inclusive: bool) -> Option<DateTime<Tz>> {
        first_from(&self.0, from, inclusive)
    }

    /// Whether there is no day at all on which it fires, as with `0 0 31 2 *`.
    #[must_use]
    pub fn never_fires(&self) -> bool {
        self.0.never_fires()
    }

    /// The expression.
    #[must_use]
    pub fn expression(&self) -> &CronExpression {
        self.0.expression()
    }
}

impl From<CronExpression> for CronSchedule {
    fn from(expression: CronExpression) -> Self {
        Self(Arc::new(WallClock::new(expression)))
    }
}

impl fmt::Display for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression().fmt(f)
    }
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronSchedule({:?})", self.expression().as_str())
    }
}

impl FromStr for CronSchedule {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for CronSchedule {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<CronSchedule> for String {
    fn from(schedule: CronSchedule) -> Self {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::CronSchedule;

    #[test]
    fn a_schedule_is_stored_as_its_text() {
        let schedule: CronSchedule = serde_json::from_str(r#""@Weekly""#).expect("an expression");
        assert_eq!(schedule, "0 0 * * SUN".parse().expect("an expression"));
        assert_eq!(serde_json::to_string(&schedule).expect("a text"), r#""@Weekly""#);
        let error = serde_json::from_str::<CronSchedule>(r#""0 0 * * FUN""#).expect_err("no such day");
        assert!(error.to_string().contains("`FUN` in the field `Days of week`"), "{error}");
    }

    #[test]
    fn schedules_are_equal_if_they_mean_the_same() {
        let schedule = |text: &str| CronSchedule::parse(text).expect(text);
        assert_eq!(schedule("0 0 9 * 1,2,3 MON-WED"), schedule("00 9 * JAN-MAR 1,2,3"));
        assert_eq!(schedule("0 0 * * 7#1"), schedule("0 0 ? * sun#1"));
        assert_ne!(schedule("0 1-1 * * *"), schedule("0 1 * * *"), "one is an interval");
    }
}
