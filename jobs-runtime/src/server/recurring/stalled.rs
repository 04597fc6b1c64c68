use std::collections::HashMap;

use chrono::TimeDelta;

use super::{fire::Fired, report::Report};
use crate::{
    client::{Schedule, ScheduleFault},
    clock::Timestamp,
    schedule::ScheduleId,
    storage::ServerId,
};

/// Schedules that are due, of which this server can make no jobs: it doesn't know the job, or can't read what a later
/// version wrote. Most often another server can, so it is tried again a few times before it is told; and ever after,
/// because the cause may go away.
#[derive(Debug, Default)]
pub(in crate::server) struct Stalled {
    known: HashMap<ScheduleId, Stall>,
    round: u64,
}

#[derive(Debug)]
struct Stall {
    /// Another one means that someone has made its jobs, or has mended it.
    version: i64,
    tries: u32,
    next_try: Timestamp,
    /// In which round it was last found to be due.
    round: u64,
}

/// How it is told that a schedule is stalled.
#[derive(Debug)]
pub(super) enum Told {
    /// In the schedule itself, for all to see.
    Stored(Fired),
    /// In the log only: there is no place for it in what can't be read.
    Logged(Report),
}

/// So many tries, with 1, 2, 4 and 8 seconds between them, until it is told.
const TRIES: u32 = 5;

/// At least so often it is tried again.
const LONGEST: TimeDelta = TimeDelta::seconds(60);

impl Stalled {
    /// Begins to forget those that are due no longer.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
    }

    pub(super) fn end_round(&mut self) {
        let round = self.round;
        self.known.retain(|_, stall| stall.round == round);
    }

    /// Whether it is too early to try a schedule again.
    pub(super) fn is_waiting(&mut self, id: &ScheduleId, version: i64, now: Timestamp) -> bool {
        let Some(stall) = self.known.get_mut(id).filter(|stall| stall.version == version) else { return false };
        stall.round = self.round;
        // A pause that is longer than any comes of a clock that was set back.
        stall.next_try > now && stall.next_try - now <= LONGEST
    }

    /// Notes that no jobs can be made of a schedule; returns how that is to be told, if it is time for it.
    pub(super) fn note(
        &mut self,
        schedule: &Schedule,
        reason: &str,
        server: &ServerId,
        now: Timestamp,
    ) -> Option<Told> {
        let tries = self.count_try(schedule, now);
        if tries < TRIES {
            return None;
        }
        let message = format!("server {server}: {reason}; no other server has made its job either");
        let report = Report { error: Some(message.clone()), ..Report::default() };
        match schedule.known() {
            Some(progress) if progress.error.is_some() => None,
            Some(progress) => {
                let mut progress = progress.clone();
                progress.error = Some(ScheduleFault::new(message, Some(now)));
                Some(Told::Stored(Fired { write: schedule.write(schedule.next_run(), &progress, Vec::new()), report }))
            }
            None => (tries == TRIES).then_some(Told::Logged(report)),
        }
    }

    /// Counts a try that was in vain, and says when the next one is to be; returns how many there were.
    fn count_try(&mut self, schedule: &Schedule, now: Timestamp) -> u32 {
        let version = schedule.version();
        let before = self.known.get(schedule.id()).filter(|stall| stall.version == version);
        let tries = before.map_or(1, |stall| stall.tries.saturating_add(1));
        let pause = TimeDelta::seconds(1 << (tries - 1).min(10)).min(LONGEST);
        let stall = Stall { version, tries, next_try: now + pause, round: self.round };
        self.known.insert(schedule.id().clone(), stall);
        tries
    }

    /// When the next of them is to be tried again.
    pub(super) fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        self.known.values().map(|stall| stall.next_try.clamp(now, now + LONGEST)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::{Stalled, Told};
    use crate::{
        client::Schedule,
        clock::Timestamp,
        schedule::ScheduleId,
        storage::{ServerId, StoredSchedule},
    };

    const PROGRESS: &str = r#"{"created_at":"2030-01-01T00:00:00Z","base":"2030-01-01T00:00:00Z"}"#;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_893_456_000 + seconds, 0).expect("a time")
    }

    fn schedule(version: i64, progress: &str) -> Schedule {
        let stored = StoredSchedule::new(ScheduleId::new("a").expect("an id"), version, "no JSON", progress);
        Schedule::read(StoredSchedule { next_run: Some(at(0)), ..stored })
    }

    /// A try in vain in a round of its own.
    fn try_in_vain(stalled: &mut Stalled, schedule: &Schedule, now: Timestamp) -> Option<Told> {
        stalled.begin_round();
        let told = stalled.note(schedule, "it is odd", &ServerId::new("s"), now);
        stalled.end_round();
        told
    }

    fn is_waiting(stalled: &mut Stalled, schedule: &Schedule, now: Timestamp) -> bool {
        stalled.is_waiting(schedule.id(), schedule.version(), now)
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let (mut stalled, schedule, mut now) = (Stalled::default(), schedule(1, PROGRESS), 0);
        for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            try_in_vain(&mut stalled, &schedule, at(now));
            assert!(is_waiting(&mut stalled, &schedule, at(now + pause - 1)));
            assert_eq!(stalled.next_try(at(now)), Some(at(now + pause)));
            now += pause;
            assert!(!is_waiting(&mut stalled, &schedule, at(now)));
        }
    }

    #[test]
    fn it_is_told_after_five_tries_where_it_can_be_seen() {
        let (mut stalled, schedule) = (Stalled::default(), schedule(1, PROGRESS));
        let told: Vec<_> = (0..5).map(|n| try_in_vain(&mut stalled, &schedule, at(n * 100))).collect();
        let [None, None, None, None, Some(Told::Stored(fired))] = told.as_slice() else { panic!("{told:?}") };
        let content = fired.write.content.as_ref().expect("not a removal");
        assert!(content.progress.contains("server s: it is odd; no other server"), "{}", content.progress);
        assert!(fired.report.error.is_some());
        let stored = self::schedule(2, &content.progress);
        assert!((5..20).all(|n| try_in_vain(&mut stalled, &stored, at(n * 100)).is_none()), "it is stored already");
    }

    #[test]
    fn it_is_told_once_where_nothing_can_be_stored() {
        let (mut stalled, schedule) = (Stalled::default(), schedule(1, "no JSON"));
        let told = (0..20).filter_map(|n| try_in_vain(&mut stalled, &schedule, at(n * 100)));
        assert_eq!(told.filter(|told| matches!(told, Told::Logged(_))).count(), 1);
    }

    #[test]
    fn a_schedule_that_has_changed_is_tried_at_once() {
        let mut stalled = Stalled::default();
        (0..9).for_each(|n| drop(try_in_vain(&mut stalled, &schedule(1, PROGRESS), at(n))));
        assert!(is_waiting(&mut stalled, &schedule(1, PROGRESS), at(10)));
        assert!(!is_waiting(&mut stalled, &schedule(2, PROGRESS), at(10)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_pause_longer() {
        let (mut stalled, schedule) = (Stalled::default(), schedule(1, PROGRESS));
        (0..9).for_each(|n| drop(try_in_vain(&mut stalled, &schedule, at(10_000 + n))));
        assert!(is_waiting(&mut stalled, &schedule, at(10_009)));
        assert!(!is_waiting(&mut stalled, &schedule, at(5_000)));
        assert_eq!(stalled.next_try(at(5_000)), Some(at(5_060)));
    }

    #[test]
    fn what_is_due_no_longer_is_forgotten() {
        let (mut stalled, schedule) = (Stalled::default(), schedule(1, PROGRESS));
        try_in_vain(&mut stalled, &schedule, at(0));
        stalled.begin_round();
        assert!(is_waiting(&mut stalled, &schedule, at(0)));
        stalled.end_round();
        assert!(stalled.next_try(at(0)).is_some(), "it was found again");
        stalled.begin_round();
        stalled.end_round();
        assert_eq!(stalled.next_try(at(0)), None);
    }
}
