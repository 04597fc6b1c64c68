use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Timelike};

use super::{
    fold::{Fold, first_moment, wall_at},
    wall_clock::WallClock,
};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// The first moment after `from`, or not before it, at which the expression fires in the zone of `from`.
pub(super) fn first_from<Tz: TimeZone>(
    clock: &WallClock,
    from: &DateTime<Tz>,
    inclusive: bool,
) -> Option<DateTime<Tz>> {
    let (zone, from) = (from.timezone(), from.naive_utc());
    let floor = from.with_nanosecond(0)?;
    // With whole seconds, after one moment is the same as from the next one on.
    let start = if inclusive && from == floor { floor } else { floor.checked_add_signed(SECOND)? };
    let found = Search { clock, zone: &zone, start }.run()?;
    Some(zone.from_utc_datetime(&found))
}

/// The search for the first moment from `start` on, in UTC.
struct Search<'a, Tz> {
    clock: &'a WallClock,
    zone: &'a Tz,
    start: NaiveDateTime,
}

impl<Tz: TimeZone> Search<'_, Tz> {
    fn run(&self) -> Option<NaiveDateTime> {
        let wall = wall_at(self.zone, self.start)?;
        if self.ends_a_gap_with_times(wall) {
            return Some(self.start);
        }
        match Fold::around(self.zone, wall) {
            Some(fold) => self.in_fold(&fold, wall).or_else(|| self.on_wall_clock(fold.end)),
            None => self.on_wall_clock(wall),
        }
    }

    /// Whether clocks go forward at the start, over times that the expression has.
    fn ends_a_gap_with_times(&self, wall: NaiveDateTime) -> bool {
        let before = self.start.checked_sub_signed(SECOND).and_then(|moment| wall_at(self.zone, moment));
        let Some(gap) = before.and_then(|before| before.checked_add_signed(SECOND)) else { return false };
        gap < wall && self.clock.first_from(gap).is_some_and(|skipped| skipped < wall)
    }

    /// The first moment in the rest of `fold`. Fixed times count in its first pass only.
    fn in_fold(&self, fold: &Fold, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let first_before_end = |wall| self.clock.first_from(wall).filter(|found| *found < fold.end);
        let is_interval = self.clock.expression().is_interval();
        if self.start >= fold.second_pass {
            return if is_interval { first_before_end(wall).map(|found| fold.second(found)) } else { None };
        }
        let in_second_pass = || if is_interval { first_before_end(fold.start) } else { None };
        first_before_end(wall)
            .map(|found| fold.first(found))
            .or_else(|| in_second_pass().map(|found| fold.second(found)))
    }

    /// The first moment from a time of the wall clock on, which isn't one that comes for the second time.
    fn on_wall_clock(&self, mut wall: NaiveDateTime) -> Option<NaiveDateTime> {
        loop {
            let found = self.clock.first_from(wall)?;
            let moment = first_moment(self.zone, found)?;
            // Holds at once, unless the offsets of the zone contradict each other.
            if moment >= self.start {
                return Some(moment);
            }
            wall = found.checked_add_signed(SECOND)?;
        }
    }
}
