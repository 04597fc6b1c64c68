//! What becomes of a schedule that someone defines, pauses, resumes or triggers. Pure: who asks stores it.

use super::{
    definition::ScheduleDefinition,
    progress::{LastRun, Progress},
    schedule::Schedule,
};
use crate::{
    clock::Timestamp,
    job::{ArgumentsError, JobId, Recurrence},
    schedule::ScheduleId,
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
    let old = found.definition();
    let mut progress = found.known().cloned().unwrap_or_else(|| Progress::new(now));
    if old == Some(definition) && !progress.orphaned {
        return Ok(None);
    }
    progress.orphaned = false;
    let timetable = definition.timetable()?;
    let same_times = old.is_some_and(|old| old.timetable().as_ref() == Ok(&timetable));
    let next_run = if same_times {
        found.next_run()
    } else {
        progress.restart(now);
        next_run(definition, &progress, now)?
    };
    let mut write = found.write(next_run, &progress, Vec::new());
    write.content.iter_mut().for_each(|content| content.definition = definition.to_json());
    Ok(Some(write))
}

fn add(id: &ScheduleId, definition: &ScheduleDefinition, now: Timestamp) -> Result<ScheduleWrite, String> {
    let progress = Progress::new(now);
    let next_run = next_run(definition, &progress, now)?;
    let content = ScheduleContent { next_run, definition: definition.to_json(), progress: progress.to_json() };
    Ok(ScheduleWrite { id: id.clone(), found: None, content: Some(content), jobs: Vec::new() })
}

/// When the schedule is due next: never in the past, and not at all while it is paused.
fn next_run(definition: &ScheduleDefinition, progress: &Progress, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let timetable = definition.timetable()?;
    Ok(timetable.next_after(progress.base).filter(|_| !progress.paused).map(|next| next.max(now)))
}

/// No slot comes until it is resumed; `None` if it is paused already.
pub(crate) fn pause(schedule: &Schedule) -> Result<Option<ScheduleWrite>, String> {
    let mut progress = schedule.parts()?.1.clone();
    if std::mem::replace(&mut progress.paused, true) {
        return Ok(None);
    }
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
    let next_run = next_run(definition, &progress, now)?;
    Ok(Some(schedule.write(next_run, &progress, Vec::new())))
}

/// A job of the schedule at once, beside its slots.
pub(crate) fn trigger(schedule: &Schedule, job: JobId, now: Timestamp) -> Result<ScheduleWrite, String> {
    let (definition, progress) = schedule.parts()?;
    let new = new_job(schedule.id(), definition, None, now).map_err(|error| error.to_string())?;
    let last_run = LastRun { job, slot: None, at: now };
    let progress = Progress { last_run: Some(last_run), ..progress.clone() };
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
