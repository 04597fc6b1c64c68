//! Wall clocks and moments: where clocks change, a time of the wall clock is skipped, or comes twice.
//!
//! Moments are in UTC, and both are whole seconds. Nothing is asked of the zone but its offset at a moment, and its
//! guess of what the offset of a time of the wall clock may be, which is verified: some implementations are off by one
//! at the edges.

use chrono::{NaiveDateTime, Offset, TimeDelta, TimeZone};

/// No zone is as much as a day away from UTC.
const DAY: TimeDelta = TimeDelta::days(1);

/// What the wall clock of `zone` shows at `moment`.
pub(super) fn wall_at<Tz: TimeZone>(zone: &Tz, moment: NaiveDateTime) -> Option<NaiveDateTime> {
    moment.checked_add_offset(zone.offset_from_utc_datetime(&moment).fix())
}

/// The first moment at which the wall clock shows `wall`; if it never does, the first moment at which it shows more.
pub(super) fn first_moment<Tz: TimeZone>(zone: &Tz, wall: NaiveDateTime) -> Option<NaiveDateTime> {
    moments(zone, wall).into_iter().flatten().min().or_else(|| end_of_gap(zone, wall))
}

/// Clocks went back, and the same times come twice, before and after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fold {
    /// The first time that comes twice.
    pub(super) start: NaiveDateTime,
    /// The time that doesn't any more.
    pub(super) end: NaiveDateTime,
    /// The moment at which `start` comes for the second time.
    pub(super) second_pass: NaiveDateTime,
}

impl Fold {
    /// The fold in which `wall` is, if it comes twice.
    pub(super) fn around<Tz: TimeZone>(zone: &Tz, wall: NaiveDateTime) -> Option<Self> {
        let [Some(one), Some(other)] = moments(zone, wall) else { return None };
        let (first, second) = (one.min(other), one.max(other));
        let offset = zone.offset_from_utc_datetime(&first).fix();
        let second_pass = first_that(first, second, |moment| zone.offset_from_utc_datetime(&moment).fix() != offset);
        let (start, end) = (wall_at(zone, second_pass)?, second_pass.checked_add_offset(offset)?);
        Some(Self { start, end, second_pass })
    }

    /// The moment at which `wall`, a time in the fold, comes for the first time.
    pub(super) fn first(&self, wall: NaiveDateTime) -> NaiveDateTime {
        self.second_pass - (self.end - wall)
    }

    /// The moment at which `wall`, a time in the fold, comes for the second time.
    pub(super) fn second(&self, wall: NaiveDateTime) -> NaiveDateTime {
        self.second_pass + (wall - self.start)
    }
}

/// The moments at which the wall clock shows `wall`.
fn moments<Tz: TimeZone>(zone: &Tz, wall: NaiveDateTime) -> [Option<NaiveDateTime>; 2] {
    let guess = zone.offset_from_local_datetime(&wall);
    let verified = |offset: Tz::Offset| {
        wall.checked_sub_offset(offset.fix()).filter(|moment| wall_at(zone, *moment) == Some(wall))
    };
    let (earliest, latest) = (guess.clone().earliest().and_then(verified), guess.latest().and_then(verified));
    if earliest == latest { [earliest, None] } else { [earliest, latest] }
}

/// The first moment after the gap in which `wall` is.
fn end_of_gap<Tz: TimeZone>(zone: &Tz, wall: NaiveDateTime) -> Option<NaiveDateTime> {
    let (before, after) = (wall.checked_sub_signed(DAY)?, wall.checked_add_signed(DAY)?);
    Some(first_that(before, after, |moment| wall_at(zone, moment).is_none_or(|shown| shown >= wall)))
}

/// The first moment after `before` and until `until` that `is_so`, which must be true of `until`.
fn first_that(before: NaiveDateTime, until: NaiveDateTime, is_so: impl Fn(NaiveDateTime) -> bool) -> NaiveDateTime {
    let (mut low, mut high) = (0, (until - before).num_seconds());
    while high - low > 1 {
        let middle = i64::midpoint(low, high);
        if is_so(before + TimeDelta::seconds(middle)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    before + TimeDelta::seconds(high)
}
