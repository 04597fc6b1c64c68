use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::{CronSchedule, Misfire};
use crate::clock::{Timestamp, before};

/// An expression, and the zone whose wall clock it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Timetable {
    pub(crate) cron: CronSchedule,
    pub(crate) tz: Tz,
}

/// How the slots of a span are to be made up for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Catchup {
    pub(crate) misfire: Misfire,
    pub(crate) max_missed: usize,
    /// How far back [`Misfire::Ignorable`] looks.
    pub(crate) precision: Duration,
}

/// The slots that are due, and those that were dropped because they are too many.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DueSlots {
    pub(crate) slots: Vec<Timestamp>,
    pub(crate) dropped: Option<Dropped>,
}

/// Slots for which there will be no job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Dropped {
    pub(crate) first: Timestamp,
    /// The first slot that was not dropped.
    pub(crate) until: Timestamp,
}

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl Catchup {
    /// After when slots count that are not done with.
    fn start(self, base: Timestamp, now: Timestamp) -> Timestamp {
        match self.misfire {
            // One that lies exactly so far back counts.
            Misfire::Ignorable => base.max(before(now, self.precision) - TimeDelta::microseconds(1)),
            Misfire::Relaxed | Misfire::Strict => base,
        }
    }
}

impl Timetable {
    /// The first slot after `base`.
    pub(crate) fn next_after(&self, base: Timestamp) -> Option<Timestamp> {
        self.cron.next_after(&base.with_timezone(&self.tz), false).map(|slot| slot.to_utc())
    }

    /// The slots after `base` and up to `now` for which there are to be jobs.
    ///
    /// The rules are those of Hangfire's `RecurringJobEntity.ScheduleNext`, but for the bound on their number.
    pub(crate) fn due(&self, base: Timestamp, now: Timestamp, catchup: Catchup) -> DueSlots {
        let base = catchup.start(base, now);
        if self.up_to(now, base).next().is_none() {
            return DueSlots::default();
        }
        match catchup.misfire {
            Misfire::Relaxed => DueSlots { slots: vec![self.relaxed(base, now)], dropped: None },
            Misfire::Strict | Misfire::Ignorable => self.latest(base, now, catchup.max_missed),
        }
    }

    /// Whether there may be very many of them, so that it takes long to compute them.
    pub(crate) fn has_several_due(&self, base: Timestamp, now: Timestamp, catchup: Catchup) -> bool {
        catchup.misfire != Misfire::Relaxed && self.up_to(now, catchup.start(base, now)).nth(1).is_some()
    }

    /// The slot of the second that `now` is in, so that what is in time has its own slot whoever makes it a job; else now.
    fn relaxed(&self, base: Timestamp, now: Timestamp) -> Timestamp {
        self.up_to(now, base.max(now - SECOND)).last().unwrap_or(now)
    }

    /// All slots after `base` and up to `now`, or the latest of them if they are more than `most`.
    fn latest(&self, base: Timestamp, now: Timestamp, most: usize) -> DueSlots {
        let all: Vec<Timestamp> = self.up_to(now, base).take(most + 1).collect();
        if all.len() <= most {
            return DueSlots { slots: all, dropped: None };
        }
        let slots: Vec<Timestamp> = self.up_to(now, self.start_of_latest(base, now, most)).collect();
        let dropped = all.first().zip(slots.first()).map(|(first, until)| Dropped { first: *first, until: *until });
        DueSlots { slots, dropped }
    }

    /// After when there are just `count` slots up to `now`, given that there are more after `base`: found by halving,
    /// because there may be millions.
    fn start_of_latest(&self, base: Timestamp, now: Timestamp, count: usize) -> Timestamp {
        let (mut enough, mut too_few) = (base, now);
        while too_few - enough > SECOND {
            let middle = enough + (too_few - enough) / 2;
            if self.up_to(now, middle).take(count).count() == count {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        // Within a second there is one slot at most, so there may be one too many.
        if self.up_to(now, too_few).take(count).count() == count { too_few } else { enough }
    }

    /// The slots after `base` and up to `last`.
    pub(crate) fn up_to(&self, last: Timestamp, base: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(base), |slot| self.next_after(*slot))
            .take_while(move |slot| *slot <= last)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono_tz::Tz;

    use super::{Catchup, Dropped, Timetable};
    use crate::{
        clock::Timestamp,
        schedule::{CronSchedule, Misfire},
    };

    fn at(text: &str) -> Timestamp {
        format!("2026-03-02T{text}Z").parse().expect("a time")
    }

    fn slots(cron: &str, base: &str, now: &str, misfire: Misfire) -> Vec<String> {
        let catchup = Catchup { misfire, max_missed: 1_000, precision: Duration::from_secs(30) };
        let due = timetable(cron).due(at(base), at(now), catchup);
        assert_eq!(due.dropped, None);
        due.slots.iter().map(|slot| slot.format("%H:%M:%S%.f").to_string()).collect()
    }

    fn timetable(cron: &str) -> Timetable {
        Timetable { cron: CronSchedule::parse(cron).expect(cron), tz: Tz::UTC }
    }

    const ALL: [Misfire; 3] = [Misfire::Relaxed, Misfire::Strict, Misfire::Ignorable];

    #[test]
    fn a_slot_exactly_now_is_due_once_in_every_mode() {
        for misfire in ALL {
            assert_eq!(slots("@hourly", "08:00:00", "09:00:00", misfire), ["09:00:00"], "{misfire:?}");
            assert!(slots("@hourly", "09:00:00", "09:00:00", misfire).is_empty(), "{misfire:?}");
            assert!(slots("@hourly", "09:00:00", "09:59:59.999999", misfire).is_empty(), "{misfire:?}");
        }
    }

    #[test]
    fn relaxed_makes_one_of_any_number_and_its_slot_is_now() {
        assert_eq!(slots("@hourly", "08:00:00", "12:30:00", Misfire::Relaxed), ["12:30:00"]);
        assert_eq!(slots("@hourly", "08:00:00", "09:00:05", Misfire::Relaxed), ["09:00:05"]);
        assert_eq!(slots("@hourly", "08:00:00", "12:00:00", Misfire::Relaxed), ["12:00:00"]);
    }

    #[test]
    fn relaxed_in_time_has_its_own_slot() {
        assert_eq!(slots("@hourly", "08:00:00", "09:00:00.003", Misfire::Relaxed), ["09:00:00"]);
        assert_eq!(slots("@hourly", "08:00:00", "09:00:01", Misfire::Relaxed), ["09:00:01"]);
    }

    #[test]
    fn strict_makes_one_of_each_slot() {
        let expected = ["09:00:00", "10:00:00", "11:00:00", "12:00:00"];
        assert_eq!(slots("@hourly", "08:00:00", "12:30:00", Misfire::Strict), expected);
    }

    #[test]
    fn strict_keeps_the_latest_of_too_many() {
        let catchup = Catchup { misfire: Misfire::Strict, max_missed: 3, precision: Duration::ZERO };
        let due = timetable("@hourly").due(at("00:30:00"), at("12:30:00.5"), catchup);
        assert_eq!(due.slots, [at("10:00:00"), at("11:00:00"), at("12:00:00")]);
        assert_eq!(due.dropped, Some(Dropped { first: at("01:00:00"), until: at("10:00:00") }));
    }

    #[test]
    fn strict_finds_the_latest_of_millions_and_of_clumps() {
        let catchup = Catchup { misfire: Misfire::Strict, max_missed: 10, precision: Duration::ZERO };
        let (long_ago, now) = (at("00:00:00") - chrono::TimeDelta::days(900), at("12:00:00"));
        let due = timetable("@every_second").due(long_ago, now, catchup);
        assert_eq!((due.slots.len(), due.slots.first(), due.slots.last()), (10, Some(&at("11:59:51")), Some(&now)));
        // All seconds of one hour a year.
        let due = timetable("* * 3 1 1 *").due(long_ago, now, catchup);
        let last: Timestamp = "2026-01-01T03:59:59Z".parse().expect("a time");
        assert_eq!((due.slots.len(), due.slots.last()), (10, Some(&last)));
    }

    #[test]
    fn ignorable_leaves_out_what_is_older_than_the_precision() {
        assert!(slots("@hourly", "08:00:00", "12:30:00", Misfire::Ignorable).is_empty());
        assert!(slots("@hourly", "08:00:00", "09:00:30.000001", Misfire::Ignorable).is_empty());
        assert_eq!(slots("@hourly", "08:00:00", "09:00:30", Misfire::Ignorable), ["09:00:00"]);
        let expected = ["09:00:30", "09:00:45", "09:01:00"];
        assert_eq!(slots("*/15 * * * * *", "08:00:00", "09:01:00", Misfire::Ignorable), expected);
    }

    #[test]
    fn ignorable_keeps_the_latest_of_too_many() {
        let precision = Duration::from_secs(1800);
        let catchup = Catchup { misfire: Misfire::Ignorable, max_missed: 2, precision };
        let due = timetable("@every_minute").due(at("00:00:00"), at("12:00:00"), catchup);
        assert_eq!(due.slots, [at("11:59:00"), at("12:00:00")]);
        assert_eq!(due.dropped, Some(Dropped { first: at("11:30:00"), until: at("11:59:00") }));
        let catchup = Catchup { precision: Duration::MAX, ..catchup };
        assert_eq!(timetable("@every_minute").due(at("00:00:00"), at("12:00:00"), catchup).slots, due.slots);
    }

    #[test]
    fn several_slots_are_due_if_more_than_one_becomes_a_job() {
        let several = |misfire, now| {
            let catchup = Catchup { misfire, max_missed: 1_000, precision: Duration::from_secs(30) };
            timetable("@hourly").has_several_due(at("08:00:00"), at(now), catchup)
        };
        assert_eq!(ALL.map(|misfire| several(misfire, "09:59:59")), [false, false, false]);
        assert_eq!(ALL.map(|misfire| several(misfire, "10:00:00")), [false, true, false]);
    }

    #[test]
    fn what_never_fires_is_never_due() {
        for misfire in ALL {
            assert!(slots("0 0 31 2 *", "08:00:00", "12:30:00", misfire).is_empty());
        }
    }
}
