//! What becomes of a schedule that someone defines, pauses, resumes or triggers. Pure: who asks stores it.

use super::{
    definition::ScheduleDefinition,
    progress::{LastRun, Progress},
    schedule::Schedule,
};
use crate::{
    clock::Timestamp,
    job::{ArgumentsError, JobId, Recurrence},
    schedule::{ScheduleId, Timetable},
    storage::{NewJob, ScheduleContent, ScheduleWrite},
};

/// What is to be written so that the schedule is as `definition` says; `None` if it is so already.
pub(crate) fn define(
    id: &ScheduleId,
    found: Option<&Schedule>,
    definition: &ScheduleDefinition,
    now: Timestamp,
) -> Result<Option<ScheduleWrite>, String> {
    let Some(found) = found else { return add(id, definition, now).map(Some) };
    let says_so = found.definition().is_some_and(|old| old.says_the_same_as(definition));
    let is_followed = found.known().is_some_and(|progress| !progress.orphaned && !progress.is_ahead_of(now));
    if says_so && is_followed {
        return Ok(None);
    }
    Ok(Some(found.replacement(redefine(found, definition, now)?)))
}

/// What becomes of a schedule that is to be as `definition` says. If its times are the same it goes on where it is, else
/// slots count from now; also if this version can't read where it is, or a clock that was ahead has put it there.
fn redefine(old: &Schedule, definition: &ScheduleDefinition, now: Timestamp) -> Result<ScheduleContent, String> {
    let timetable = definition.timetable()?;
    let same_times = old.definition().is_some_and(|old| old.timetable().as_ref() == Ok(&timetable));
    let goes_on = same_times && old.known().is_some_and(|progress| !progress.is_ahead_of(now));
    let mut progress = old.known().cloned().unwrap_or_else(|| old.begin_anew(now));
    (progress.orphaned, progress.error) = (false, None);
    let next_run = if goes_on {
        old.next_run()
    } else {
        progress.restart(now);
        next_run(&timetable, &progress, now)
    };
    Ok(ScheduleContent { next_run, definition: definition.to_json(), progress: progress.to_json() })
}

/// Lets a schedule go on where another one is, which is removed in the same batch. If it is there already, because the
/// other one was changed when it was to be removed, the one that has come further counts.
pub(crate) fn take_over(
    id: &ScheduleId,
    found: Option<&Schedule>,
    from: &Schedule,
    definition: &ScheduleDefinition,
    now: Timestamp,
) -> Result<Vec<ScheduleWrite>, String> {
    let first = match found {
        Some(found) if found.base() >= from.base() => define(id, Some(found), definition, now)?,
        _ => {
            let content = Some(redefine(from, definition, now)?);
            Some(ScheduleWrite { id: id.clone(), found: found.map(Schedule::version), content, jobs: Vec::new() })
        }
    };
    Ok(first.into_iter().chain([from.removal()]).collect())
}

/// Whether a clock that was ahead has put the schedule far beyond `now`, and this version can tell when it is due instead.
pub(crate) fn can_be_corrected(schedule: &Schedule, now: Timestamp) -> bool {
    schedule.is_ahead_of(now) && schedule.definition().is_some_and(|definition| definition.timetable().is_ok())
}

/// Notes of a schedule that it stands in the source no longer, and lets its slots count from now: either, or both; `None`
/// if it can't be read.
pub(crate) fn revise(schedule: &Schedule, marks: bool, corrects: bool, now: Timestamp) -> Option<ScheduleWrite> {
    let (mut progress, mut due) = (schedule.known()?.clone(), schedule.next_run());
    progress.orphaned |= marks;
    if corrects {
        progress.restart(now);
        due = next_run(&schedule.definition()?.timetable().ok()?, &progress, now);
    }
    (marks || corrects).then(|| schedule.write(due, &progress, Vec::new()))
}

fn add(id: &ScheduleId, definition: &ScheduleDefinition, now: Timestamp) -> Result<ScheduleWrite, String> {
    let progress = Progress::new(now);
    let next_run = next_run(&definition.timetable()?, &progress, now);
    let content = ScheduleContent { next_run, definition: definition.to_json(), progress: progress.to_json() };
    Ok(ScheduleWrite { id: id.clone(), found: None, content: Some(content), jobs: Vec::new() })
}

/// When the schedule is due next: never in the past, and not at all while it is paused.
fn next_run(timetable: &Timetable, progress: &Progress, now: Timestamp) -> Option<Timestamp> {
    timetable.next_after(progress.base).filter(|_| !progress.paused).map(|next| next.max(now))
}

/// No slot comes until it is resumed; `None` if it is paused already.
pub(crate) fn pause(schedule: &Schedule) -> Result<Option<ScheduleWrite>, String> {
    let mut progress = schedule.parts()?.1.clone();
    if std::mem::replace(&mut progress.paused, true) {
        return Ok(None);
    }
    // It is not due any more, so nobody can fail to make its jobs.
    progress.error = None;
    Ok(Some(schedule.write(None, &progress, Vec::new())))
}

/// Slots come again from now on; `None` if it is not paused.
pub(crate) fn resume(schedule: &Schedule, now: Timestamp) -> Result<Option<ScheduleWrite>, String> {
    let (definition, progress) = schedule.parts()?;
    let mut progress = progress.clone();
    if !std::mem::replace(&mut progress.paused, false) {
        return Ok(None);
    }
    progress.restart(now);
    let next_run = next_run(&definition.timetable()?, &progress, now);
    Ok(Some(schedule.write(next_run, &progress, Vec::new())))
}

/// A job of the schedule at once, beside its slots.
pub(crate) fn trigger(schedule: &Schedule, job: JobId, now: Timestamp) -> Result<ScheduleWrite, String> {
    let (definition, progress) = schedule.parts()?;
    let new = new_job(schedule.id(), definition, None, now).map_err(|error| error.to_string())?;
    let mut progress = progress.clone();
    if definition.skips() {
        progress.keep_unended(progress.awaited().into_iter().chain([job]));
    }
    progress.last_run = Some(LastRun { job, slot: None, at: now });
    Ok(schedule.write(schedule.next_run(), &progress, vec![NewJob { id: job, ..new }]))
}

/// One job of a schedule.
pub(crate) fn new_job(
    schedule: &ScheduleId,
    definition: &ScheduleDefinition,
    slot: Option<Timestamp>,
    now: Timestamp,
) -> Result<NewJob, ArgumentsError> {
    let new = NewJob::new(JobId::generate(now), definition.invocation()?, now);
    let recurrence = Some(Recurrence { schedule: schedule.clone(), slot });
    Ok(NewJob { queue: definition.queue(), priority: definition.priority, recurrence, ..new })
}

#[cfg(test)]
mod tests {
    use super::{define, pause, trigger};
    use crate::{
        client::{Schedule, ScheduleDefinition},
        clock::Timestamp,
        job::JobId,
        schedule::ScheduleId,
        storage::{ScheduleContent, ScheduleWrite, StoredSchedule},
    };

    fn at(time: &str) -> Timestamp {
        format!("2030-01-01T{time}Z").parse().expect("a time")
    }

    fn definition(cron: &str, arguments: &str) -> ScheduleDefinition {
        let text = format!(
            r#"{{"type":"app","method":"tell","arguments":{arguments},"cron":"{cron}","tz":"UTC","queue":"default"}}"#
        );
        ScheduleDefinition::read(&text).expect("readable")
    }

    /// A schedule of every hour that has come to `base`, and is due an hour later.
    fn hourly(base: &str, more: &str) -> Schedule {
        let progress = format!(r#"{{"created_at":"2030-01-01T00:00:00Z","base":"{}"{more}}}"#, at(base).to_rfc3339());
        stored(&progress, Some(at(base) + chrono::TimeDelta::hours(1)))
    }

    fn stored(progress: &str, next_run: Option<Timestamp>) -> Schedule {
        let definition = definition("@hourly", r#"{"a":1,"b":2}"#).to_json();
        let stored = StoredSchedule::new(ScheduleId::new("a").expect("an id"), 7, definition, progress);
        Schedule::read(StoredSchedule { next_run, ..stored })
    }

    /// What is found after the write.
    fn after(write: ScheduleWrite) -> Schedule {
        let ScheduleContent { next_run, definition, progress } = write.content.expect("not a removal");
        Schedule::read(StoredSchedule { next_run, ..StoredSchedule::new(write.id, 8, definition, progress) })
    }

    fn defined(found: &Schedule, definition: &ScheduleDefinition, now: &str) -> Option<Schedule> {
        define(found.id(), Some(found), definition, at(now)).expect("computable").map(after)
    }

    #[test]
    fn arguments_in_another_order_are_no_change() {
        let found = hourly("09:00:00", "");
        assert_eq!(defined(&found, &definition("@hourly", r#"{"b":2, "a":1}"#), "09:30:00"), None);
        let changed = defined(&found, &definition("@hourly", r#"{"b":1,"a":2}"#), "09:30:00").expect("a change");
        assert_eq!(changed.next_run(), found.next_run());
    }

    #[test]
    fn a_progress_that_cannot_be_read_begins_anew() {
        let found = stored(r#"{"created_at":"2030-01-01T00:00:00Z","base":17}"#, Some(at("01:00:00")));
        for arguments in [r#"{"a":1,"b":2}"#, "null"] {
            let now = defined(&found, &definition("@hourly", arguments), "09:30:00").expect("a change");
            assert_eq!((now.next_run(), now.created_at()), (Some(at("10:00:00")), Some(at("09:30:00"))));
        }
    }

    #[test]
    fn a_pause_stays_though_the_rest_of_the_progress_cannot_be_read() {
        let found = stored(r#"{"base":17,"paused":true}"#, None);
        let now = defined(&found, &definition("@daily", "null"), "09:30:00").expect("a change");
        assert_eq!((now.is_paused(), now.next_run(), now.error()), (true, None, None));
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_written_begins_anew() {
        let found = hourly("23:00:00", r#","last_slot":"2030-01-01T23:00:00Z""#);
        let same = found.definition().expect("readable").clone();
        assert_eq!(defined(&found, &same, "22:00:00"), None, "by an hour, as clocks may differ");
        let now = defined(&found, &same, "09:30:00").expect("a change");
        assert_eq!(now.next_run(), Some(at("10:00:00")));
        assert!(!now.is_ahead_of(at("09:30:00")));
    }

    /// It was about what has been changed.
    #[test]
    fn a_change_and_a_pause_clear_the_error() {
        let found = hourly("09:00:00", r#","error":{"message":"no handler","since":null}"#);
        assert!(found.error().is_some());
        let changed = defined(&found, &definition("@hourly", "null"), "10:30:00").expect("a change");
        assert_eq!((changed.error(), changed.next_run()), (None, found.next_run()));
        let paused = after(pause(&found).expect("readable").expect("a change"));
        assert_eq!((paused.error(), paused.next_run()), (None, None));
    }

    #[test]
    fn a_trigger_makes_the_job_that_was_announced() {
        let (found, id) = (hourly("09:00:00", ""), JobId::generate(at("09:30:00")));
        let write = trigger(&found, id, at("09:30:00")).expect("readable");
        assert_eq!(write.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
        let now = after(write);
        assert_eq!((now.last_run().map(|run| run.job), now.next_run()), (Some(id), found.next_run()));
    }
}
