//! What a schedule that is due comes to. Pure: the storage says what time it is and whether the last job runs.

use std::time::Duration;

use super::report::Report;
use crate::{
    client::{DroppedSlots, LastRun, Schedule, recurring::steps::new_job},
    clock::Timestamp,
    schedule::{Catchup, Overlap},
    storage::{NewJob, ScheduleWrite},
};

/// A change of a schedule, with its jobs.
#[derive(Debug)]
pub(super) struct Fired {
    pub(super) write: ScheduleWrite,
    pub(super) report: Report,
}

/// Whether what becomes of the schedule depends on how its last job fares.
pub(super) fn wants_to_know_its_last_job(schedule: &Schedule) -> bool {
    schedule.definition().is_some_and(|definition| definition.overlap != Overlap::Allow.as_str())
}

/// Makes the jobs of all slots that have come, and finds the next one; or says why that can't be done.
pub(super) fn fire(schedule: &Schedule, is_busy: bool, now: Timestamp, precision: Duration) -> Result<Fired, String> {
    let (definition, progress) = schedule.parts().map_err(|reason| format!("it can't be read: {reason}"))?;
    let timing = definition.timing()?;
    let catchup = Catchup { misfire: timing.misfire, max_missed: timing.max_missed as usize, precision };
    let due = timing.timetable.due(progress.base, now, catchup);
    let runs = match timing.overlap {
        Overlap::Allow => due.slots.len(),
        // The first one's job has not ended either when the others come.
        Overlap::Skip => usize::from(!is_busy).min(due.slots.len()),
    };
    let (made, skipped) = due.slots.split_at(runs);
    let jobs = made.iter().map(|slot| new_job(schedule.id(), definition, Some(*slot), now));
    let jobs: Vec<NewJob> = jobs.collect::<Result<_, _>>().map_err(|error| error.to_string())?;

    let mut next = progress.clone();
    next.base = progress.base.max(now);
    if let Some((job, slot)) = jobs.last().zip(made.last()) {
        next.last_run = Some(LastRun { job: job.id, slot: Some(*slot), at: now });
        next.last_slot = Some(*slot);
    }
    next.skipped = skipped.last().copied().or(progress.skipped);
    let dropped = due.dropped.map(|dropped| DroppedSlots { first: dropped.first, until: dropped.until, at: now });
    next.dropped = dropped.or(progress.dropped);
    next.error = None;
    let report = Report {
        dropped: due.dropped.map(|dropped| (dropped.first, dropped.until)),
        skipped: skipped.last().copied(),
        recovered: progress.error.is_some(),
        error: None,
    };
    let next_run = timing.timetable.next_after(next.base);
    Ok(Fired { write: schedule.write(next_run, &next, jobs), report })
}
