//! The rules where clocks change once more, in the simplest way: every minute or second around a change is looked at.

use std::{collections::HashSet, iter};

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};
use jobs_runtime::schedule::CronSchedule;

use crate::{fields::Part, random::Random};

/// Around one change of the clocks in every third zone: in most minute by minute, in some second by second.
#[test]
fn times_around_changes_of_clocks_are_those_of_the_brute_force() {
    let mut random = Random::new(42);
    for (index, zone) in TZ_VARIANTS.iter().enumerate().step_by(3) {
        let changes = changes(*zone);
        if changes.is_empty() {
            continue;
        }
        let change = *random.one_of(&changes);
        // A minute is too much where an offset isn't in whole minutes.
        let whole = [change - 1, change].iter().all(|time| offset(*zone, *time) % 60 == 0);
        let by_second = !whole || index % 40 == 0;
        let window = Window::around(change, *zone, by_second);
        for _ in 0..2 {
            let rule = TimeRule::random(&mut random, by_second);
            window.check(&rule);
        }
    }
}

/// The time of day, and which times it means.
struct TimeRule {
    text: String,
    seconds: Part,
    minutes: Part,
    hours: Part,
}

impl TimeRule {
    fn random(random: &mut Random, any_second: bool) -> Self {
        let seconds = if any_second { Part::random(random, 0, 59) } else { Part::only(0) };
        let (minutes, hours) = (Part::random(random, 0, 59), Part::random(random, 0, 23));
        Self { text: format!("{} {} {}", seconds.text, minutes.text, hours.text), seconds, minutes, hours }
    }

    fn allows(&self, wall: NaiveDateTime) -> bool {
        self.seconds.values.contains(&wall.second())
            && self.minutes.values.contains(&wall.minute())
            && self.hours.values.contains(&wall.hour())
    }

    fn is_interval(&self) -> bool {
        self.seconds.interval || self.minutes.interval || self.hours.interval
    }
}

/// What is looked at: every `step` from `start` to `end`.
struct Window {
    start: DateTime<Tz>,
    end: DateTime<Tz>,
    step: TimeDelta,
}

impl Window {
    fn around(change: i64, zone: Tz, by_second: bool) -> Self {
        let moment = |time| DateTime::from_timestamp(time, 0).expect("a time").with_timezone(&zone);
        let (step, width) = if by_second { (1, 3_600) } else { (60, 26 * 3_600) };
        let (start, end) = (moment(change - width), moment(change + 2 * width));
        Self { start, end, step: TimeDelta::seconds(step) }
    }

    fn moments(&self, from: DateTime<Tz>) -> impl Iterator<Item = DateTime<Tz>> {
        iter::successors(Some(from), |moment| Some(*moment + self.step))
    }

    /// All times of the rule, by a look at every moment.
    fn times(&self, rule: &TimeRule) -> Vec<DateTime<Tz>> {
        let earlier = self.moments(self.start - TimeDelta::hours(4)).take_while(|moment| *moment < self.start);
        let mut shown: HashSet<NaiveDateTime> = earlier.map(|moment| moment.naive_local()).collect();
        let mut expected = self.start.naive_local();
        let fires = |moment: &DateTime<Tz>| {
            let wall = moment.naive_local();
            let was_skipped = |wall: &NaiveDateTime| *wall < moment.naive_local();
            let mut skipped = iter::successors(Some(expected), |wall| Some(*wall + self.step)).take_while(was_skipped);
            let comes_again = !shown.insert(wall);
            expected = wall + self.step;
            skipped.any(|wall| rule.allows(wall)) || rule.allows(wall) && (rule.is_interval() || !comes_again)
        };
        self.moments(self.start).take_while(|moment| *moment < self.end).filter(fires).collect()
    }

    /// The schedule has the same times, however it is asked for them.
    fn check(&self, rule: &TimeRule) {
        let schedule = CronSchedule::parse(&format!("{} * * *", rule.text)).expect(&rule.text);
        let mut found = schedule.next_after(&self.start, true);
        for time in self.times(rule) {
            assert_eq!(found, Some(time), "`{schedule}` in {} from {}", self.start.timezone(), self.start);
            assert_eq!(schedule.next_after(&time, true), found, "`{schedule}` in {}", self.start.timezone());
            found = schedule.next_after(&time, false);
        }
        assert!(found.is_some_and(|time| time >= self.end), "`{schedule}` in {}: {found:?}", self.start.timezone());
    }
}

/// The moments from 1972 to 2038 at which the clocks of `zone` changed.
fn changes(zone: Tz) -> Vec<i64> {
    const STEP: i64 = 60 * 86_400;
    let times = (0..400).map(|index| 63_072_000 + index * STEP);
    let spans = times.filter(|time| offset(zone, *time) != offset(zone, time + STEP));
    spans.map(|time| first_change(zone, time, time + STEP)).collect()
}

fn first_change(zone: Tz, mut before: i64, mut after: i64) -> i64 {
    let old = offset(zone, before);
    while after - before > 1 {
        let middle = i64::midpoint(before, after);
        if offset(zone, middle) == old { before = middle } else { after = middle }
    }
    after
}

/// In seconds.
fn offset(zone: Tz, time: i64) -> i32 {
    DateTime::from_timestamp(time, 0).expect("a time").with_timezone(&zone).offset().fix().local_minus_utc()
}
