use std::{
    fmt,
    ops::{Range, RangeInclusive},
};

use crate::{
    caret::{Caret, shown},
    expression::MACROS,
    field::Field,
    suggestion,
};

/// What is wrong with a cron expression, and where.
///
/// It is shown as one line; the alternate form (`{error:#}`) adds two lines that mark the wrong part.
///
/// ```
/// # use jobs_cron::CronExpression;
/// let error = CronExpression::parse("0 0 1 * MON#6").unwrap_err();
/// assert_eq!(format!("{error:#}"), "\
/// `6` in the field `Days of week` of `0 0 1 * MON#6` is out of range after `#`: use 1 to 5
///   | 0 0 1 * MON#6
///   |             ^");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronError {
    text: Box<str>,
    kind: CronErrorKind,
    field: Option<Field>,
    range: Range<usize>,
}

/// The ways in which a cron expression can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CronErrorKind {
    /// There is nothing but blanks.
    Empty,
    /// It has neither five nor six fields.
    FieldCount {
        /// How many it has.
        found: usize,
    },
    /// It starts with `@`, but isn't one of the macros.
    UnknownMacro,
    /// A value is missing.
    MissingValue {
        /// The lowest number that could stand there.
        min: u8,
        /// The highest one.
        max: u8,
    },
    /// Neither a number nor a name that the field knows.
    UnknownValue {
        /// The lowest number that could stand there.
        min: u8,
        /// The highest one.
        max: u8,
    },
    /// A number that the field, the step or the offset can't have.
    OutOfRange {
        /// The lowest number that could stand there.
        min: u8,
        /// The highest one.
        max: u8,
    },
    /// A number of more than two digits.
    TooManyDigits,
    /// Something that can't stand there, such as a list after a `*`.
    Unexpected,
    /// There is no such day in any year. Only [`CronExpression::must_fire`](crate::CronExpression::must_fire) says so.
    NeverFires,
}

impl CronError {
    pub(crate) fn new(text: &str, kind: CronErrorKind, field: Option<Field>, range: Range<usize>) -> Self {
        Self { text: text.into(), kind, field, range }
    }

    /// In which way it is wrong.
    #[must_use]
    pub const fn kind(&self) -> CronErrorKind {
        self.kind
    }

    /// The field that is wrong; none if it isn't a single one.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        self.field
    }

    /// The whole expression.
    #[must_use]
    pub const fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of [`text`](Self::text) that are wrong; empty where something is missing.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What stands at [`range`](Self::range).
    #[must_use]
    pub fn found(&self) -> &str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// The numbers that could stand there instead, where numbers could.
    #[must_use]
    pub const fn accepted(&self) -> Option<RangeInclusive<u8>> {
        match self.kind {
            CronErrorKind::MissingValue { min, max }
            | CronErrorKind::UnknownValue { min, max }
            | CronErrorKind::OutOfRange { min, max } => Some(min..=max),
            _ => None,
        }
    }

    /// The expression, and below it marks under the wrong part: two lines, to be shown below the message.
    #[must_use]
    pub fn caret(&self) -> Caret<'_> {
        Caret::new(&self.text, self.range())
    }

    /// An expression that may have been meant.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// let meant = |text| CronExpression::parse(text).unwrap_err().suggestion();
    /// assert_eq!(meant("every 5 minutes").as_deref(), Some("*/5 * * * *"));
    /// assert_eq!(meant("0 0 9 * * MON-FRI 2026").as_deref(), Some("0 0 9 * * MON-FRI"));
    /// assert_eq!(meant("when I say so"), None);
    /// ```
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        suggestion::suggestion(&self.text)
    }

    /// What stands before the wrong part, if it tells what the part was meant to be.
    fn role(&self) -> &'static str {
        match self.text.get(..self.range.start).unwrap_or_default().chars().next_back() {
            Some('/') => " after `/`",
            Some('-') => " after `-`",
            Some('#') => " after `#`",
            Some(',') => " after `,`",
            _ => "",
        }
    }

    fn write_where(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "in the field `{field}` ")?;
        }
        write!(f, "of `{}`", shown(&self.text))
    }

    fn write_accepted(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(numbers) = self.accepted() else { return Ok(()) };
        write!(f, ": use {} to {}", numbers.start(), numbers.end())?;
        // Steps, offsets and the like have other bounds than the field, and no names.
        let Some(field) = self.field.filter(|field| numbers == (field.min()..=field.max())) else { return Ok(()) };
        if let (false, [first, .., last]) = (self.role() == " after `/`", field.names()) {
            write!(f, ", or `{first}` to `{last}`")?;
        }
        Ok(())
    }

    fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, role) = (shown(self.found()), self.role());
        match self.kind {
            CronErrorKind::Empty => {
                f.write_str("the cron expression is empty: write 5 fields, 6 with the seconds first, or a macro")
            }
            CronErrorKind::FieldCount { found } => {
                let fields = if found == 1 { "field" } else { "fields" };
                write!(f, "`{}` has {found} {fields}: a cron expression has 5", shown(&self.text))?;
                f.write_str(
                    " (`Minutes`, `Hours`, `Days of month`, `Months`, `Days of week`), or 6 with `Seconds` first",
                )
            }
            CronErrorKind::UnknownMacro => {
                let names: Vec<String> = MACROS.iter().map(|(name, _)| format!("`{name}`")).collect();
                write!(f, "`{found}` is not a cron macro: use one of {}", names.join(", "))
            }
            CronErrorKind::MissingValue { .. } => {
                f.write_str("a number is missing ")?;
                self.write_where(f)?;
                f.write_str(role)?;
                self.write_accepted(f)
            }
            CronErrorKind::UnknownValue { .. } => self.write_found(f, &format!("is not a value{role}")),
            CronErrorKind::OutOfRange { .. } => self.write_found(f, &format!("is out of range{role}")),
            CronErrorKind::TooManyDigits => self.write_found(f, "is too long: write one or two digits"),
            CronErrorKind::Unexpected => {
                self.write_found(f, "can't stand there: write `*`, or values and ranges such as `1,3-5`")?;
                match self.field {
                    Some(Field::DaysOfMonth) => f.write_str(", or alone one of `L`, `L-3`, `15W`, `LW` and `L-3W`"),
                    Some(Field::DaysOfWeek) => f.write_str(", or alone one of `5L` and `5#2`"),
                    _ => Ok(()),
                }
            }
            CronErrorKind::NeverFires => self
                .write_found(f, "never comes: no year has such a day, and day of month and day of week must both hold"),
        }
    }

    fn write_found(&self, f: &mut fmt::Formatter<'_>, fault: &str) -> fmt::Result {
        write!(f, "`{}` ", shown(self.found()))?;
        self.write_where(f)?;
        write!(f, " {fault}")?;
        self.write_accepted(f)
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_line(f)?;
        if suggestion::has_year(&self.text) {
            f.write_str("; there is no field for years")?;
        }
        if f.alternate() { write!(f, "\n{}", self.caret()) } else { Ok(()) }
    }
}

impl std::error::Error for CronError {}
