/// A day of the Gregorian calendar, with what the grammar asks of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) days_in_month: u8,
    /// 0 is Sunday.
    pub(crate) weekday: u8,
}

impl Day {
    /// The day of this date; none if there is no such date.
    ///
    /// ```
    /// # use jobs_cron::Day;
    /// assert!(Day::new(2024, 2, 29).is_some());
    /// assert!(Day::new(2023, 2, 29).is_none());
    /// ```
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let days_in_month = days_in_month(year, month)?;
        let exists = (1..=days_in_month).contains(&day);
        exists.then(|| Self { month, day, days_in_month, weekday: weekday(year, month, day) })
    }

    /// All days of `month`; none if there is no such month.
    pub(crate) fn all_of(year: i32, month: u8) -> impl Iterator<Item = Self> {
        (1..=31).map_while(move |day| Self::new(year, month, day))
    }

    /// How often this weekday has come in the month, with this day.
    pub(crate) const fn nth_of_its_weekday(self) -> u8 {
        (self.day - 1) / 7 + 1
    }

    pub(crate) const fn is_last_of_its_weekday(self) -> bool {
        self.day + 7 > self.days_in_month
    }
}

/// 28 years in which each of the fourteen calendars (first weekday, leap year or not) comes at least once.
pub(crate) const ALL_CALENDARS: std::ops::Range<i32> = 1972..2000;

const fn days_in_month(year: i32, month: u8) -> Option<u8> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => return None,
    })
}

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Sakamoto's method: the year is taken to begin in March, so that the leap day is its last.
fn weekday(year: i32, month: u8, day: u8) -> u8 {
    const MONTH_STARTS: [i64; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let year = i64::from(year) - i64::from(month < 3);
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let sum = year + leap_days + MONTH_STARTS[usize::from(month) - 1] + i64::from(day);
    u8::try_from(sum.rem_euclid(7)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ALL_CALENDARS, Day, is_leap};

    #[test]
    fn weekdays_of_known_dates() {
        for (year, month, day, weekday) in
            [(1, 1, 1, 1), (1582, 10, 15, 5), (2000, 2, 29, 2), (2016, 12, 11, 0), (9999, 12, 31, 5), (-4, 2, 29, 4)]
        {
            let found = Day::new(year, month, day).expect("a date").weekday;
            assert_eq!(found, weekday, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn the_sample_of_years_has_every_calendar() {
        let first = |year| Day::new(year, 1, 1).expect("a date").weekday;
        let calendars: HashSet<(u8, bool)> = ALL_CALENDARS.map(|year| (first(year), is_leap(year))).collect();
        assert_eq!(calendars.len(), 14);
    }
}
