use std::{fmt, hash, ops::Range, str::FromStr};

use crate::{
    calendar::{ALL_CALENDARS, Day},
    days::{DayOfMonth, DayOfWeek},
    error::{CronError, CronErrorKind},
    field::Field,
    fields::Fields,
    values::Values,
};

/// The macros, with the expressions that they stand for.
pub(crate) const MACROS: [(&str, &str); 9] = [
    ("@every_second", "* * * * * *"),
    ("@every_minute", "* * * * *"),
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A cron expression that was read.
///
/// It is shown as it was written. Two are equal if they mean the same: `@daily` equals `0 0 * * *`. But `0 1-1 * * *`,
/// which is an [interval](Self::is_interval), doesn't equal `0 1 * * *`.
///
/// # Grammar
///
/// Five fields, or six with the seconds first; spaces or tabs stand between them.
///
/// | field | values | also |
/// |---|---|---|
/// | Seconds | 0–59 | |
/// | Minutes | 0–59 | |
/// | Hours | 0–23 | |
/// | Days of month | 1–31 | `L` the last day, `L-3` three days before it, `15W` the weekday nearest to the 15th, `LW`, `L-3W` |
/// | Months | 1–12 or `JAN`–`DEC` | |
/// | Days of week | 0–7 or `SUN`–`SAT`; 0 and 7 are Sunday | `5L` the last Friday, `5#2` the second Friday |
///
/// Each field is `*` or `?`, which mean every value, or a list of values and ranges. `*/n`, `a/n` and `a-b/n` take every
/// n-th value; `a/n` goes on to the end of the field. A range whose end lies before its start goes round: `22-2` is 22,
/// 23, 0, 1, 2.
///
/// If the days of the month and the days of the week are both given, **both must hold**, unlike in Unix cron:
/// `0 0 13 * FRI` is each Friday the 13th.
///
/// Or a macro: `@every_second`, `@every_minute`, `@hourly`, `@daily` (or `@midnight`), `@weekly`, `@monthly`, `@yearly`
/// (or `@annually`). Upper and lower case are the same everywhere.
#[derive(Clone)]
pub struct CronExpression {
    text: Box<str>,
    fields: Fields,
}

impl CronExpression {
    /// Reads an expression; the grammar is described [above](Self#grammar).
    ///
    /// # Errors
    ///
    /// [`CronError`] tells what is wrong with the first field that is, and where.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// assert_eq!(CronExpression::parse("@Daily")?, CronExpression::parse(" 0 0 * * ? ")?);
    /// assert!(CronExpression::parse("0 0 * *").is_err());
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let whole = trimmed(text);
        let fields = match &text[whole.clone()] {
            "" => return Err(CronError::new(text, CronErrorKind::Empty, None, 0..text.len())),
            name if name.starts_with('@') => match macro_meaning(name) {
                Some(meaning) => read(meaning),
                None => return Err(CronError::new(text, CronErrorKind::UnknownMacro, None, whole)),
            },
            _ => read(text),
        };
        Ok(Self { text: text.into(), fields: fields? })
    }

    /// The text that was read.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.text
    }

    /// The seconds of a minute at which it fires.
    #[must_use]
    pub const fn seconds(&self) -> Values {
        self.fields.seconds
    }

    /// The minutes of an hour in which it fires.
    #[must_use]
    pub const fn minutes(&self) -> Values {
        self.fields.minutes
    }

    /// The hours of a day in which it fires.
    #[must_use]
    pub const fn hours(&self) -> Values {
        self.fields.hours
    }

    /// The days of a month on which it may fire.
    #[must_use]
    pub const fn days_of_month(&self) -> DayOfMonth {
        self.fields.days_of_month
    }

    /// The months of a year in which it may fire.
    #[must_use]
    pub const fn months(&self) -> Values {
        self.fields.months
    }

    /// The days of a week on which it may fire.
    #[must_use]
    pub const fn days_of_week(&self) -> DayOfWeek {
        self.fields.days_of_week
    }

    /// Whether it is meant as an interval, not as fixed times of the day: seconds, minutes or hours have a `*` or `?`,
    /// a range or a step.
    ///
    /// It matters where clocks go back: an interval goes on in the hour that comes a second time, a fixed time doesn't
    /// come again.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// assert!(CronExpression::parse("30 * * * *")?.is_interval());
    /// assert!(!CronExpression::parse("0,30 1 * * *")?.is_interval());
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    #[must_use]
    pub const fn is_interval(&self) -> bool {
        self.fields.interval
    }

    /// Whether it fires on `day`.
    ///
    /// ```
    /// # use jobs_cron::{CronExpression, Day};
    /// let friday_13 = CronExpression::parse("0 0 13 * FRI")?;
    /// assert!(Day::new(2026, 11, 13).is_some_and(|day| friday_13.fires_on(day)));
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    #[must_use]
    pub fn fires_on(&self, day: Day) -> bool {
        self.fields.months.contains(day.month)
            && self.fields.days_of_month.matches(day)
            && self.fields.days_of_week.matches(day)
    }

    /// Whether it fires on any day of the year.
    #[must_use]
    pub fn fires_in(&self, year: i32) -> bool {
        self.fields.months.iter().any(|month| Day::all_of(year, month).any(|day| self.fires_on(day)))
    }

    /// Whether no year has a day on which it fires.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// assert!(CronExpression::parse("0 0 31 2 *")?.never_fires());
    /// assert!(!CronExpression::parse("0 0 29 2 MON#5")?.never_fires(), "as in 2044");
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    #[must_use]
    pub fn never_fires(&self) -> bool {
        !ALL_CALENDARS.into_iter().any(|year| self.fires_in(year))
    }

    /// Refuses an expression that [never fires](Self::never_fires).
    ///
    /// # Errors
    ///
    /// [`CronErrorKind::NeverFires`], at the fields of the date.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// let error = CronExpression::parse("0 0 31 2,4 *")?.must_fire().unwrap_err();
    /// assert_eq!(error.found(), "31 2,4 *");
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    pub fn must_fire(&self) -> Result<(), CronError> {
        if !self.never_fires() {
            return Ok(());
        }
        let date = match spans(&self.text)[..] {
            [.., Range { start, .. }, _, Range { end, .. }] => start..end,
            _ => trimmed(&self.text),
        };
        Err(CronError::new(&self.text, CronErrorKind::NeverFires, None, date))
    }
}

impl PartialEq for CronExpression {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for CronExpression {}

impl hash::Hash for CronExpression {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.fields.hash(state);
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronExpression({:?})", self.text)
    }
}

impl FromStr for CronExpression {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

fn macro_meaning(name: &str) -> Option<&'static str> {
    MACROS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, meaning)| *meaning)
}

fn read(text: &str) -> Result<Fields, CronError> {
    let spans = spans(text);
    match &spans[..] {
        [minutes, hours, days, months, weekdays] => Fields::read(text, None, [minutes, hours, days, months, weekdays]),
        [seconds, minutes, hours, days, months, weekdays] => {
            Fields::read(text, Some(seconds), [minutes, hours, days, months, weekdays])
        }
        found => Err(wrong_count(text, found)),
    }
}

/// Marks what is too much; or all of it, if there is too little.
fn wrong_count(text: &str, found: &[Range<usize>]) -> CronError {
    let whole = trimmed(text);
    let start = found.get(Field::ALL.len()).map_or(whole.start, |surplus| surplus.start);
    CronError::new(text, CronErrorKind::FieldCount { found: found.len() }, None, start..whole.end)
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Where the text without the blanks around it stands.
fn trimmed(text: &str) -> Range<usize> {
    let start = text.len() - text.trim_start_matches(is_blank).len();
    start..text.trim_end_matches(is_blank).len().max(start)
}

/// Where the fields stand.
pub(crate) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::with_capacity(Field::ALL.len());
    let mut at = 0;
    for part in text.split(is_blank) {
        if !part.is_empty() {
            spans.push(at..at + part.len());
        }
        at += part.len() + 1;
    }
    spans
}
