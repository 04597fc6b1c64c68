use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use jobs_cron::{CronExpression, Values};

/// The package `cron`: nothing else names it.
///
/// It is given plain lists of numbers, because it reads some expressions in another way, and UTC, because it drops times
/// where clocks change. It knows only the years from 1970 to 2100. But a year can begin only on seven weekdays, and with
/// or without a leap day, so each search is made in a year that has the same calendar as the one meant.
#[derive(Debug)]
pub(super) struct Engine(cron::Schedule);

impl Engine {
    pub(super) fn new(expression: &CronExpression) -> Self {
        let fields = [
            list(expression.seconds(), 0),
            list(expression.minutes(), 0),
            list(expression.hours(), 0),
            list(expression.days_of_month().candidates(), 0),
            list(expression.months(), 0),
            // There, the days of the week are numbered from 1.
            list(expression.days_of_week().candidates(), 1),
        ];
        Self(cron::Schedule::from_str(&fields.join(" ")).expect("lists of numbers that are in range"))
    }

    /// The first time from `start` on, a whole second, in its year.
    ///
    /// The day may be one that doesn't count, because the engine knows nothing of `L`, `W` and `#`.
    pub(super) fn first_in_year(&self, start: NaiveDateTime) -> Option<NaiveDateTime> {
        let (year, same) = (start.year(), year_with_the_calendar_of(start.date())?);
        // The moment it searches from is left out.
        let before = start.with_year(same)? - TimeDelta::seconds(1);
        let found = self.0.after(&before.and_utc()).next()?;
        if found.year() == same { found.naive_utc().with_year(year) } else { None }
    }
}

fn list(values: Values, shift: u8) -> String {
    values.iter().map(|value| (value + shift).to_string()).collect::<Vec<_>>().join(",")
}

/// All fourteen calendars come within 28 years.
fn year_with_the_calendar_of(date: NaiveDate) -> Option<i32> {
    let calendar = |year| NaiveDate::from_yo_opt(year, 1).map(|first| (first.weekday(), first.leap_year()));
    (1972..2000).find(|year| calendar(*year) == calendar(date.year()))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::year_with_the_calendar_of;

    #[test]
    fn every_year_has_a_year_with_its_calendar() {
        for year in 1..=9999 {
            let date = NaiveDate::from_ymd_opt(year, 3, 1).expect("a date");
            assert!(year_with_the_calendar_of(date).is_some(), "{year}");
        }
    }
}
