use crate::{calendar::Day, field::Field, values::Values};

const SUNDAY: u8 = 0;
const SATURDAY: u8 = 6;

/// What the field for the days of the month allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DayOfMonth {
    /// These days.
    In(Values),
    /// `L-before`: so many days before the last one.
    Last {
        /// 0 is the last day itself.
        before: u8,
    },
    /// `dayW`: Monday to Friday, as near as possible to this day, in the same month.
    NearestWeekday {
        /// Months that don't have this day are left out.
        day: u8,
    },
    /// `L-beforeW`: Monday to Friday, as near as possible to that day, in the same month.
    NearestWeekdayToLast {
        /// 0 is the last day itself.
        before: u8,
    },
}

impl DayOfMonth {
    pub(crate) fn matches(self, day: Day) -> bool {
        match self {
            Self::In(values) => values.contains(day.day),
            Self::Last { before } => day.days_in_month - day.day == before,
            Self::NearestWeekday { day: wanted } => is_nearest_weekday(day, wanted),
            Self::NearestWeekdayToLast { before } => {
                day.days_in_month > before && is_nearest_weekday(day, day.days_in_month - before)
            }
        }
    }

    /// All days that can match in some month. Not all of them match in every month: ask
    /// [`CronExpression::fires_on`](crate::CronExpression::fires_on).
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// let last = CronExpression::parse("0 0 L * *")?;
    /// assert_eq!(last.days_of_month().candidates().iter().collect::<Vec<_>>(), [28, 29, 30, 31]);
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    #[must_use]
    pub fn candidates(self) -> Values {
        let last = |before| (28_u8.saturating_sub(before).max(1), 31_u8.saturating_sub(before).max(1));
        // A weekday is at most two days away from the day wanted.
        let around = |first: u8, last: u8| (first.saturating_sub(2).max(1)..=(last + 2).min(31)).collect();
        match self {
            Self::In(values) => values,
            Self::Last { before } => Values::stepped(Field::DaysOfMonth, last(before).0, last(before).1, 1),
            Self::NearestWeekday { day } => around(day, day),
            Self::NearestWeekdayToLast { before } => around(last(before).0, last(before).1),
        }
    }
}

/// Whether `day` is the weekday nearest to the day `wanted` of its month.
fn is_nearest_weekday(day: Day, wanted: u8) -> bool {
    if wanted > day.days_in_month || matches!(day.weekday, SATURDAY | SUNDAY) {
        return false;
    }
    let weekday_wanted = (day.weekday + 35 + wanted - day.day) % 7;
    let nearest = match weekday_wanted {
        SATURDAY if wanted == 1 => 3,
        SATURDAY => wanted - 1,
        SUNDAY if wanted == day.days_in_month => wanted - 2,
        SUNDAY => wanted + 1,
        _ => wanted,
    };
    day.day == nearest
}

/// What the field for the days of the week allows; 0 is Sunday.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DayOfWeek {
    /// These days.
    In(Values),
    /// `weekdayL`: the last such day of the month.
    Last {
        /// 0 is Sunday.
        weekday: u8,
    },
    /// `weekday#nth`: such a day, when it comes for this time in the month.
    Nth {
        /// 0 is Sunday.
        weekday: u8,
        /// From 1 to 5.
        nth: u8,
    },
}

impl DayOfWeek {
    pub(crate) fn matches(self, day: Day) -> bool {
        match self {
            Self::In(values) => values.contains(day.weekday),
            Self::Last { weekday } => day.weekday == weekday && day.is_last_of_its_weekday(),
            Self::Nth { weekday, nth } => day.weekday == weekday && day.nth_of_its_weekday() == nth,
        }
    }

    /// All weekdays that can match in some week.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// let second_friday = CronExpression::parse("0 0 * * FRI#2")?;
    /// assert_eq!(second_friday.days_of_week().candidates().iter().collect::<Vec<_>>(), [5]);
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    #[must_use]
    pub fn candidates(self) -> Values {
        match self {
            Self::In(values) => values,
            Self::Last { weekday } | Self::Nth { weekday, .. } => [weekday].into_iter().collect(),
        }
    }
}
