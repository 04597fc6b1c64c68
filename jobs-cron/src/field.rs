use std::fmt;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A field of a cron expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Field {
    /// The seconds of a minute; given only in expressions of six fields.
    Seconds,
    /// The minutes of an hour.
    Minutes,
    /// The hours of a day.
    Hours,
    /// The days of a month.
    DaysOfMonth,
    /// The months of a year.
    Months,
    /// The days of a week.
    DaysOfWeek,
}

impl Field {
    /// The fields of an expression with seconds, in their order.
    pub const ALL: [Self; 6] =
        [Self::Seconds, Self::Minutes, Self::Hours, Self::DaysOfMonth, Self::Months, Self::DaysOfWeek];

    /// What messages call the field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "Seconds",
            Self::Minutes => "Minutes",
            Self::Hours => "Hours",
            Self::DaysOfMonth => "Days of month",
            Self::Months => "Months",
            Self::DaysOfWeek => "Days of week",
        }
    }

    /// The lowest number the field accepts.
    #[must_use]
    pub const fn min(self) -> u8 {
        match self {
            Self::Seconds | Self::Minutes | Self::Hours | Self::DaysOfWeek => 0,
            Self::DaysOfMonth | Self::Months => 1,
        }
    }

    /// The highest number the field accepts; it is the longest step, too.
    #[must_use]
    pub const fn max(self) -> u8 {
        match self {
            Self::Seconds | Self::Minutes => 59,
            Self::Hours => 23,
            Self::DaysOfMonth => 31,
            Self::Months => 12,
            Self::DaysOfWeek => 7,
        }
    }

    /// How many different values there are, after which a reversed range starts again: 7 is Sunday as 0 is.
    pub(crate) const fn period(self) -> u8 {
        match self {
            Self::DaysOfWeek => 7,
            _ => self.max() - self.min() + 1,
        }
    }

    /// The names of values, from the lowest on.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Months => &MONTHS,
            Self::DaysOfWeek => &WEEKDAYS,
            _ => &[],
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
