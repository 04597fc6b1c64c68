//! Random fields, made together with what they mean.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::random::Random;

/// One field: its text, and its values as they were chosen.
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) values: Vec<u32>,
    pub(crate) interval: bool,
}

impl Part {
    pub(crate) fn only(value: u32) -> Self {
        Self { text: value.to_string(), values: vec![value], interval: false }
    }

    /// `*`, or one to three values and ranges of `min..=max`.
    pub(crate) fn random(random: &mut Random, min: u32, max: u32) -> Self {
        if random.below(5) == 0 {
            return Self { text: "*".to_owned(), values: (min..=max).collect(), interval: true };
        }
        let pieces: Vec<Self> = (0..=random.below(3)).map(|_| Self::random_piece(random, min, max)).collect();
        Self {
            text: pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(","),
            interval: pieces.iter().any(|piece| piece.interval),
            values: pieces.into_iter().flat_map(|piece| piece.values).collect(),
        }
    }

    fn random_piece(random: &mut Random, min: u32, max: u32) -> Self {
        let mut any = || min + random.below(max - min + 1);
        let (first, last) = (any(), any());
        let step = 1 + random.below(max);
        let (text, values) = match random.below(6) {
            0 => (format!("{first}-{last}"), walk(first, last, 1, min, max)),
            1 => (format!("{first}-{last}/{step}"), walk(first, last, step, min, max)),
            2 => (format!("{first}/{step}"), walk(first, max, step, min, max)),
            _ => return Self::only(first),
        };
        Self { text, values, interval: true }
    }
}

/// Goes round the clock face one by one, from `first` to `last`, and takes every `step`-th.
fn walk(first: u32, last: u32, step: u32, min: u32, max: u32) -> Vec<u32> {
    let next = |value: &u32| (*value != last).then(|| if *value == max { min } else { value + 1 });
    std::iter::successors(Some(first), next).step_by(step as usize).collect()
}

pub(crate) type DayRule = Box<dyn Fn(NaiveDate) -> bool>;

/// Day of month, month and day of week, and the days they mean.
pub(crate) fn random_days(random: &mut Random) -> (String, DayRule) {
    let months = Part::random(random, 1, 12);
    let ((day_text, day_rule), (weekday_text, weekday_rule)) = match random.below(3) {
        0 => (random_day_of_month(random), any_day()),
        1 => (any_day(), random_day_of_week(random)),
        _ => (random_day_of_month(random), random_day_of_week(random)),
    };
    let text = format!("{day_text} {} {weekday_text}", months.text);
    (text, Box::new(move |day| months.values.contains(&day.month()) && day_rule(day) && weekday_rule(day)))
}

fn any_day() -> (String, DayRule) {
    ("?".to_owned(), Box::new(|_| true))
}

fn random_day_of_month(random: &mut Random) -> (String, DayRule) {
    let (before, number) = (random.below(31), 1 + random.below(31));
    match random.below(5) {
        0 => (format!("L-{before}"), Box::new(move |day| days_before_last(day, before) == Some(day))),
        1 => (format!("L-{before}W"), Box::new(move |day| days_before_last(day, before).map(nearest) == Some(day))),
        2 => (format!("{number}W"), Box::new(move |day| day.with_day(number).map(nearest) == Some(day))),
        _ => {
            let part = Part::random(random, 1, 31);
            (part.text, Box::new(move |day| part.values.contains(&day.day())))
        }
    }
}

fn random_day_of_week(random: &mut Random) -> (String, DayRule) {
    let (number, nth) = (random.below(8), 1 + random.below(5));
    let is_day = move |day: NaiveDate| day.weekday().num_days_from_sunday() == number % 7;
    match random.below(3) {
        0 => (format!("{number}L"), Box::new(move |day| is_day(day) && (day + Days::new(7)).month() != day.month())),
        1 => {
            let of_its_kind = |day: NaiveDate| (1..=day.day()).rev().step_by(7).count();
            (format!("{number}#{nth}"), Box::new(move |day| is_day(day) && of_its_kind(day) == nth as usize))
        }
        _ => {
            let other = Part::random(random, 1, 7);
            let days = move |day: NaiveDate| other.values.contains(&day.weekday().number_from_monday());
            // A `*` can't be a part of a list.
            match other.text.as_str() {
                "*" => (other.text, Box::new(days)),
                text => (format!("{text},{number}"), Box::new(move |day| is_day(day) || days(day))),
            }
        }
    }
}

fn days_before_last(day: NaiveDate, before: u32) -> Option<NaiveDate> {
    let next_month = day.with_day(1)? + Months::new(1);
    let found = next_month - Days::new(u64::from(before) + 1);
    (found.month() == day.month()).then_some(found)
}

/// The weekday of the month that is nearest to `day`. From Saturday that is Friday, from Sunday Monday: no ties.
fn nearest(day: NaiveDate) -> NaiveDate {
    let around = [day, day - Days::new(1), day + Days::new(1), day - Days::new(2), day + Days::new(2)];
    let is_weekday = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    around.into_iter().find(|other| other.month() == day.month() && is_weekday(other)).expect("one of five days")
}
