use chrono::Weekday;
use jobs_cron::CronError;

use super::CronSchedule;

/// Common schedules, by name.
///
/// Numbers are those of a cron expression, and out of range they are the same errors: the text of the [`CronError`] is
/// the expression that was built from the arguments.
///
/// ```
/// use chrono::Weekday;
/// use jobs_runtime::schedule::Cron;
///
/// assert_eq!(Cron::weekly(Weekday::Mon, 9, 30)?.to_string(), "30 9 * * 1");
/// let error = Cron::daily(24, 0).unwrap_err();
/// assert_eq!(error.to_string(), "`24` in the field `Hours` of `0 24 * * *` is out of range: use 0 to 23");
/// # Ok::<(), jobs_runtime::schedule::CronError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cron;

impl Cron {
    /// Every minute: `* * * * *`.
    #[must_use]
    pub fn minutely() -> CronSchedule {
        CronSchedule::parse("* * * * *").expect("a cron expression")
    }

    /// Every hour at this minute.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless `minute` is 0 to 59.
    pub fn hourly(minute: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("{minute} * * * *"))
    }

    /// Every day at this time.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless it is a time from 0:00 to 23:59.
    pub fn daily(hour: u32, minute: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("{minute} {hour} * * *"))
    }

    /// Every week on this day, at this time.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless it is a time from 0:00 to 23:59.
    pub fn weekly(day: Weekday, hour: u32, minute: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("{minute} {hour} * * {}", day.num_days_from_sunday()))
    }

    /// On this day of each month that has it, at this time.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless `day` is 1 to 31 and it is a time from 0:00 to 23:59.
    pub fn monthly(day: u32, hour: u32, minute: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("{minute} {hour} {day} * *"))
    }

    /// Once a year on this date, at this time. The 29th of February comes in leap years only.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless it is a date and a time from 0:00 to 23:59.
    ///
    /// ```
    /// # use jobs_runtime::schedule::{Cron, CronErrorKind};
    /// assert_eq!(Cron::yearly(2, 30, 0, 0).unwrap_err().kind(), CronErrorKind::NeverFires);
    /// ```
    pub fn yearly(month: u32, day: u32, hour: u32, minute: u32) -> Result<CronSchedule, CronError> {
        let schedule = CronSchedule::parse(&format!("{minute} {hour} {day} {month} *"))?;
        schedule.expression().must_fire()?;
        Ok(schedule)
    }

    /// Never: `0 0 31 2 *`. Such a schedule keeps a recurring job that is only run by hand.
    #[must_use]
    pub fn never() -> CronSchedule {
        CronSchedule::parse("0 0 31 2 *").expect("a cron expression")
    }

    /// In every `minutes`-th minute of each hour, from minute 0 on.
    ///
    /// Each hour starts anew: with 40 it is at minutes 0 and 40.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless `minutes` is 1 to 59.
    pub fn minute_interval(minutes: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("*/{minutes} * * * *"))
    }

    /// In every `hours`-th hour of each day, from midnight on, at minute 0.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless `hours` is 1 to 23.
    pub fn hour_interval(hours: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("0 */{hours} * * *"))
    }

    /// On every `days`-th day of each month, from the 1st on, at midnight.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless `days` is 1 to 31.
    pub fn day_interval(days: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("0 0 */{days} * *"))
    }

    /// On the 1st of every `months`-th month of each year, from January on, at midnight.
    ///
    /// # Errors
    ///
    /// [`CronError`] unless `months` is 1 to 12.
    pub fn month_interval(months: u32) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&format!("0 0 1 */{months} *"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;

    use super::Cron;
    use crate::schedule::{CronError, CronErrorKind, CronSchedule, Field};

    #[test]
    fn each_name_is_an_expression() {
        let text = |schedule: Result<CronSchedule, CronError>| schedule.expect("in range").to_string();
        assert_eq!(Cron::minutely().to_string(), "* * * * *");
        assert_eq!(text(Cron::hourly(59)), "59 * * * *");
        assert_eq!(text(Cron::daily(23, 5)), "5 23 * * *");
        assert_eq!(text(Cron::weekly(Weekday::Sun, 0, 0)), "0 0 * * 0");
        assert_eq!(text(Cron::monthly(31, 12, 0)), "0 12 31 * *");
        assert_eq!(text(Cron::yearly(2, 29, 6, 30)), "30 6 29 2 *");
        assert_eq!(text(Cron::minute_interval(59)), "*/59 * * * *");
        assert_eq!(text(Cron::hour_interval(2)), "0 */2 * * *");
        assert_eq!(text(Cron::day_interval(3)), "0 0 */3 * *");
        assert_eq!(text(Cron::month_interval(12)), "0 0 1 */12 *");
        assert!(Cron::never().never_fires());
    }

    #[test]
    fn arguments_out_of_range_are_refused_with_their_field() {
        for (refused, field, found) in [
            (Cron::hourly(60), Field::Minutes, "60"),
            (Cron::daily(0, 100), Field::Minutes, "100"),
            (Cron::weekly(Weekday::Mon, 24, 0), Field::Hours, "24"),
            (Cron::monthly(0, 0, 0), Field::DaysOfMonth, "0"),
            (Cron::yearly(13, 1, 0, 0), Field::Months, "13"),
            (Cron::minute_interval(0), Field::Minutes, "0"),
            (Cron::hour_interval(24), Field::Hours, "24"),
            (Cron::day_interval(u32::MAX), Field::DaysOfMonth, "4294967295"),
            (Cron::month_interval(13), Field::Months, "13"),
        ] {
            let error = refused.expect_err(found);
            assert_eq!((error.field(), error.found()), (Some(field), found), "{error}");
            assert!(matches!(error.kind(), CronErrorKind::OutOfRange { .. }), "{error}");
        }
    }
}
