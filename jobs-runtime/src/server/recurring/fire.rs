//! What a schedule that is due comes to. Pure: the storage says what time it is and which jobs have not ended.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::report::Report;
use crate::{
    client::{
        DroppedSlots, LastRun, Schedule,
        recurring::{Timing, steps::new_job},
    },
    clock::Timestamp,
    job::JobId,
    schedule::{Catchup, Overlap},
    storage::{NewJob, ScheduleWrite},
};

/// A schedule whose time has come.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) schedule: Schedule,
    /// Its earlier jobs that have not ended, as far as it wants to know.
    unended: Vec<JobId>,
    plan: Result<Plan, String>,
}

#[derive(Debug)]
struct Plan {
    timing: Timing,
    catchup: Catchup,
    takes_long: bool,
}

/// A change of a schedule, with its jobs.
#[derive(Debug)]
pub(super) struct Fired {
    pub(super) write: ScheduleWrite,
    pub(super) report: Report,
}

/// The jobs on whose end it depends what becomes of the schedule's slots; none if it makes its jobs anyway.
pub(super) fn awaited(schedule: &Schedule) -> Vec<JobId> {
    match schedule.parts() {
        Ok((definition, progress)) if definition.skips() => progress.awaited(),
        _ => Vec::new(),
    }
}

impl Due {
    pub(super) fn new(schedule: Schedule, unended: Vec<JobId>, now: Timestamp, precision: Duration) -> Self {
        let plan = caught(|| Plan::of(&schedule, now, precision));
        Self { schedule, unended, plan }
    }

    /// Whether more than one slot has come, so that it may take long to compute them.
    pub(super) fn takes_long(&self) -> bool {
        self.plan.as_ref().is_ok_and(|plan| plan.takes_long)
    }

    /// Makes the jobs of all slots that have come, and finds the next one; or says why that can't be done.
    pub(super) fn fire(&self, now: Timestamp) -> Result<Fired, String> {
        let plan = self.plan.as_ref().map_err(Clone::clone)?;
        caught(|| self.fire_as(plan, now))
    }

    fn fire_as(&self, Plan { timing, catchup, .. }: &Plan, now: Timestamp) -> Result<Fired, String> {
        let (definition, progress) = self.schedule.parts()?;
        let due = timing.timetable.due(progress.base, now, *catchup);
        let (made, skipped) = due.slots.split_at(self.runs(timing.overlap, due.slots.len()));
        let jobs = made.iter().map(|slot| new_job(self.schedule.id(), definition, Some(*slot), now));
        let jobs: Vec<NewJob> = jobs.collect::<Result<_, _>>().map_err(|error| error.to_string())?;

        let mut next = progress.clone();
        (next.base, next.error) = (progress.base.max(now), None);
        if let Some((job, slot)) = jobs.last().zip(made.last()) {
            next.last_run = Some(LastRun { job: job.id, slot: Some(*slot), at: now });
            next.last_slot = Some(*slot);
        }
        let of_slots = jobs.iter().map(|job| job.id).filter(|_| timing.overlap == Overlap::Skip);
        next.keep_unended(self.unended.iter().copied().chain(of_slots));
        next.skipped = skipped.last().copied().or(progress.skipped);
        let dropped = due.dropped.map(|dropped| DroppedSlots { first: dropped.first, until: dropped.until, at: now });
        next.dropped = dropped.or(progress.dropped);
        let report = Report {
            dropped: due.dropped.map(|dropped| (dropped.first, dropped.until)),
            skipped: skipped.last().copied(),
            recovered: progress.error.is_some(),
            error: None,
        };
        let next_run = timing.timetable.next_after(next.base);
        Ok(Fired { write: self.schedule.write(next_run, &next, jobs), report })
    }

    /// How many of the slots that have come become jobs.
    fn runs(&self, overlap: Overlap, slots: usize) -> usize {
        match overlap {
            Overlap::Allow => slots,
            // The first one's job has not ended either when the others come.
            Overlap::Skip => usize::from(self.unended.is_empty()).min(slots),
        }
    }
}

impl Plan {
    fn of(schedule: &Schedule, now: Timestamp, precision: Duration) -> Result<Self, String> {
        let parts = schedule.parts().map_err(|reason| format!("it can't be read: {reason}"));
        let (definition, progress) = parts?;
        let timing = definition.timing()?;
        let catchup = Catchup { misfire: timing.misfire, max_missed: timing.max_missed as usize, precision };
        let takes_long = timing.timetable.has_several_due(progress.base, now, catchup);
        Ok(Self { timing, catchup, takes_long })
    }
}

/// A schedule whose computing panics must not stop the others; the message of the panic is where all of them go.
fn caught<T>(code: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|_| Err("it can't be computed: that panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Due, Fired, awaited, caught};
    use crate::{
        client::Schedule,
        clock::Timestamp,
        job::JobId,
        schedule::ScheduleId,
        storage::{ScheduleContent, StoredSchedule},
    };

    fn at(time: &str) -> Timestamp {
        format!("2030-01-01T{time}Z").parse().expect("a time")
    }

    fn id(number: i64) -> JobId {
        JobId::generate(at("00:00:00") + chrono::TimeDelta::seconds(number))
    }

    /// A schedule of every hour that has come to 9:00.
    fn hourly(options: &str, progress: &str) -> Schedule {
        let definition = format!(
            r#"{{"type":"app","method":"tell","arguments":null,"cron":"@hourly","tz":"UTC","queue":"default"{options}}}"#
        );
        let progress = format!(r#"{{"created_at":"2030-01-01T00:00:00Z","base":"2030-01-01T09:00:00Z"{progress}}}"#);
        let stored = StoredSchedule::new(ScheduleId::new("a").expect("an id"), 1, definition, progress);
        Schedule::read(StoredSchedule { next_run: Some(at("10:00:00")), ..stored })
    }

    const SKIP: &str = r#","misfire":"strict","overlap":"skip""#;

    fn fire(schedule: &Schedule, unended: &[JobId], now: &str) -> Fired {
        let due = Due::new(schedule.clone(), unended.to_vec(), at(now), Duration::from_secs(30));
        due.fire(at(now)).expect("computable")
    }

    fn slots(fired: &Fired) -> Vec<Timestamp> {
        fired.write.jobs.iter().filter_map(|job| job.recurrence.as_ref()?.slot).collect()
    }

    /// What is found after the write.
    fn after(fired: Fired) -> Schedule {
        let ScheduleContent { next_run, definition, progress } = fired.write.content.expect("not a removal");
        Schedule::read(StoredSchedule { next_run, ..StoredSchedule::new(fired.write.id, 2, definition, progress) })
    }

    #[test]
    fn each_slot_becomes_a_job_and_the_next_one_is_found() {
        let fired = fire(&hourly(r#","misfire":"strict""#, ""), &[], "11:30:00");
        assert_eq!(slots(&fired), [at("10:00:00"), at("11:00:00")]);
        let last = fired.write.jobs[1].id;
        let next = after(fired);
        assert_eq!(next.next_run(), Some(at("12:00:00")));
        assert_eq!(next.last_run().map(|run| (run.job, run.slot)), Some((last, Some(at("11:00:00")))));
    }

    #[test]
    fn of_slots_that_came_together_one_runs_if_they_may_not_overlap() {
        let fired = fire(&hourly(SKIP, ""), &[], "12:30:00");
        assert_eq!((slots(&fired), fired.report.skipped), (vec![at("10:00:00")], Some(at("12:00:00"))));
        let job = fired.write.jobs[0].id;
        assert_eq!(awaited(&after(fired)), [job]);
    }

    #[test]
    fn any_job_that_has_not_ended_holds_the_slots_back() {
        let earlier = [id(1), id(2)];
        let text = serde_json::to_string(&earlier).expect("JSON");
        let schedule = hourly(SKIP, &format!(r#","unended":{text}"#));
        assert_eq!(awaited(&schedule), earlier);
        let fired = fire(&schedule, &earlier[..1], "10:00:00");
        assert_eq!((slots(&fired), fired.report.skipped), (vec![], Some(at("10:00:00"))));
        let next = after(fired);
        assert_eq!(awaited(&next), earlier[..1], "what has ended is not asked for again");
        assert_eq!(slots(&fire(&next, &[], "11:00:00")), [at("11:00:00")]);
    }

    #[test]
    fn the_last_run_is_asked_for_though_it_was_made_when_jobs_could_overlap() {
        let last = format!(r#","last_run":{{"job":"{}","slot":null,"at":"2030-01-01T09:00:00Z"}}"#, id(1));
        assert!(awaited(&hourly("", &last)).is_empty());
        assert_eq!(awaited(&hourly(SKIP, &last)).len(), 1);
        let both = format!(r#"{last},"unended":["{}"]"#, id(2));
        assert_eq!(awaited(&hourly(SKIP, &both)).len(), 2);
        let next = after(fire(&hourly("", &both), &[], "10:00:00"));
        assert!(next.known().expect("readable").unended.is_empty(), "nobody wants to know");
    }

    #[test]
    fn no_more_than_the_hundred_newest_are_kept() {
        let many: Vec<JobId> = (0..150).map(id).collect();
        let next = after(fire(&hourly(SKIP, ""), &many, "10:00:00"));
        assert_eq!(awaited(&next), many[50..]);
    }

    #[test]
    fn a_clock_that_was_set_back_sets_no_schedule_back() {
        let fired = fire(&hourly("", ""), &[], "08:00:00");
        assert!(slots(&fired).is_empty());
        assert_eq!(after(fired).next_run(), Some(at("10:00:00")));
    }

    #[test]
    fn what_panics_is_an_error_of_that_schedule() {
        let error = caught::<()>(|| panic!("on purpose")).expect_err("an error");
        assert_eq!(error, "it can't be computed: that panicked");
    }
}
