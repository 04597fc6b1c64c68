use std::ops::Range;

use crate::{
    cursor::Cursor,
    days::{DayOfMonth, DayOfWeek},
    error::CronError,
    field::Field,
    values::Values,
};

/// What an expression means: two that mean the same have equal fields.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Fields {
    pub(crate) seconds: Values,
    pub(crate) minutes: Values,
    pub(crate) hours: Values,
    pub(crate) days_of_month: DayOfMonth,
    pub(crate) months: Values,
    pub(crate) days_of_week: DayOfWeek,
    /// Whether the time of day has a `*`, a range or a step.
    pub(crate) interval: bool,
}

impl Fields {
    /// Reads the fields that stand at `spans` of `text`, in their order, so that the error is the first one.
    ///
    /// An expression without seconds fires at second 0.
    pub(crate) fn read(
        text: &str,
        seconds: Option<&Range<usize>>,
        [minutes, hours, days_of_month, months, days_of_week]: [&Range<usize>; 5],
    ) -> Result<Self, CronError> {
        let at = |field, span: &Range<usize>| Cursor::new(text, field, span.clone());
        let zero = Read { values: [0].into_iter().collect(), interval: false };
        let seconds = seconds.map_or(Ok(zero), |span| list_field(at(Field::Seconds, span)))?;
        let minutes = list_field(at(Field::Minutes, minutes))?;
        let hours = list_field(at(Field::Hours, hours))?;
        Ok(Self {
            seconds: seconds.values,
            minutes: minutes.values,
            hours: hours.values,
            days_of_month: day_of_month(at(Field::DaysOfMonth, days_of_month))?,
            months: list_field(at(Field::Months, months))?.values,
            days_of_week: day_of_week(at(Field::DaysOfWeek, days_of_week))?,
            interval: seconds.interval || minutes.interval || hours.interval,
        })
    }
}

/// What a field or a part of it allows, and whether it was written as an interval.
#[derive(Clone, Copy)]
struct Read {
    values: Values,
    interval: bool,
}

fn list_field(mut cursor: Cursor<'_>) -> Result<Read, CronError> {
    let read = match star(&mut cursor)? {
        Some(values) => Read { values, interval: true },
        None => {
            let first = cursor.value()?;
            list(&mut cursor, first)?
        }
    };
    cursor.end()?;
    Ok(read)
}

fn day_of_month(mut cursor: Cursor<'_>) -> Result<DayOfMonth, CronError> {
    let days = if let Some(values) = star(&mut cursor)? {
        DayOfMonth::In(values)
    } else if cursor.eat('L') {
        let before = if cursor.eat('-') { cursor.number(0..=Field::DaysOfMonth.max() - 1)? } else { 0 };
        if cursor.eat('W') { DayOfMonth::NearestWeekdayToLast { before } } else { DayOfMonth::Last { before } }
    } else {
        let day = cursor.value()?;
        if cursor.eat('W') {
            DayOfMonth::NearestWeekday { day }
        } else {
            DayOfMonth::In(list(&mut cursor, day)?.values)
        }
    };
    cursor.end()?;
    Ok(days)
}

fn day_of_week(mut cursor: Cursor<'_>) -> Result<DayOfWeek, CronError> {
    let days = if let Some(values) = star(&mut cursor)? {
        DayOfWeek::In(values)
    } else {
        let day = cursor.value()?;
        if cursor.eat('L') {
            DayOfWeek::Last { weekday: day % 7 }
        } else if cursor.eat('#') {
            DayOfWeek::Nth { weekday: day % 7, nth: cursor.number(1..=5)? }
        } else {
            DayOfWeek::In(list(&mut cursor, day)?.values)
        }
    };
    cursor.end()?;
    Ok(days)
}

/// `*` or `?`, perhaps with a step.
fn star(cursor: &mut Cursor<'_>) -> Result<Option<Values>, CronError> {
    if !cursor.eat('*') && !cursor.eat('?') {
        return Ok(None);
    }
    let field = cursor.field();
    let step = step(cursor)?.unwrap_or(1);
    Ok(Some(Values::stepped(field, field.min(), field.max(), step)))
}

/// Values and ranges, of which the first value has been read.
fn list(cursor: &mut Cursor<'_>, first: u8) -> Result<Read, CronError> {
    let mut read = range(cursor, first)?;
    while cursor.eat(',') {
        let first = cursor.value()?;
        let next = range(cursor, first)?;
        read = Read { values: read.values.union(next.values), interval: read.interval || next.interval };
    }
    Ok(read)
}

/// `first`, `first-last`, `first/step` or `first-last/step`, of which the first value has been read.
fn range(cursor: &mut Cursor<'_>, first: u8) -> Result<Read, CronError> {
    let last = if cursor.eat('-') { Some(cursor.value()?) } else { None };
    let step = step(cursor)?;
    let field = cursor.field();
    // A step without an end goes on to the end of the field.
    let end = last.unwrap_or(if step.is_some() { field.max() } else { first });
    let values = Values::stepped(field, first, end, step.unwrap_or(1));
    Ok(Read { values, interval: last.is_some() || step.is_some() })
}

fn step(cursor: &mut Cursor<'_>) -> Result<Option<u8>, CronError> {
    let longest = cursor.field().max();
    if cursor.eat('/') { cursor.number(1..=longest).map(Some) } else { Ok(None) }
}
