//! Makes jobs of schedules whose slots have come.
//!
//! Any number of servers do so at once: each computes what is due, and the storage takes the first one's write for a
//! schedule and refuses the others'.

pub(super) mod declared;
mod fire;
mod report;
mod stalled;

pub(super) use self::stalled::Stalled;
use self::{fire::Fired, stalled::Told};
use super::shared::Shared;
use crate::{
    client::Schedule,
    clock::Timestamp,
    storage::{DueCursor, ScheduleWritten, StorageResult, StoredSchedule, Topic},
};

/// How many due schedules are looked at in one go.
const PAGE: usize = 100;

/// How many jobs are written at once, unless one schedule alone has more.
const JOBS: usize = 1_000;

/// Makes jobs of what is due, and sleeps until the next schedule is.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let storage = shared.storage();
    let mut changed = storage.signals().subscribe(Topic::Recurring);
    loop {
        changed.reset();
        let next = round(shared).await?;
        shared.health.recovered("recurring");
        let due = async {
            match next {
                Some(at) => storage.clock().sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = changed.changed() => {}
            () = tokio::time::sleep(shared.settings.schedule_poll_interval) => {}
        }
    }
}

/// Goes through all that is due; returns when to look again.
async fn round(shared: &Shared) -> StorageResult<Option<Timestamp>> {
    let now = shared.storage().clock().now();
    let (mut after, mut wrote): (Option<DueCursor>, bool) = (None, false);
    shared.stalled().begin_round();
    loop {
        let page = shared.storage().due_schedules(after, PAGE).await?;
        after = page.due.last().and_then(|last| Some((last.next_run?, last.id.clone())));
        let is_last = page.due.len() < PAGE;
        wrote |= follow(shared, page.due).await?;
        if is_last {
            let mut stalled = shared.stalled();
            stalled.end_round();
            // What was written, by this server or by one that was faster, is due next at a time that is not known yet.
            let again = wrote.then_some(now);
            return Ok([again, page.next_due, stalled.next_try(now)].into_iter().flatten().min());
        }
    }
}

/// Makes the jobs of schedules that are due, or notes why that can't be done; returns whether it wrote anything.
async fn follow(shared: &Shared, due: Vec<StoredSchedule>) -> StorageResult<bool> {
    let now = shared.storage().clock().now();
    let (mut fired, mut wrote): (Vec<Fired>, bool) = (Vec::new(), false);
    for schedule in due {
        if shared.stalled().is_waiting(&schedule.id, schedule.version, now) {
            continue;
        }
        let schedule = Schedule::read(schedule);
        match compute(shared, &schedule, now).await? {
            Ok(one) => fired.push(one),
            Err(reason) => match shared.stalled().note(&schedule, &reason, &shared.record.id, now) {
                Some(Told::Stored(one)) => fired.push(one),
                Some(Told::Logged(report)) => report.log(schedule.id()),
                None => {}
            },
        }
        if fired.iter().map(|one| one.write.jobs.len()).sum::<usize>() >= JOBS {
            wrote |= write(shared, std::mem::take(&mut fired)).await?;
        }
    }
    Ok(write(shared, fired).await? || wrote)
}

/// What a schedule that is due comes to, or why that can't be told.
async fn compute(shared: &Shared, schedule: &Schedule, now: Timestamp) -> StorageResult<Result<Fired, String>> {
    let job = schedule.definition().map(|definition| definition.job());
    if let Some(job) = job.filter(|job| shared.registry.get(job).is_none()) {
        return Ok(Err(format!("it has no handler for job `{job}`")));
    }
    let is_busy = fire::wants_to_know_its_last_job(schedule) && last_job_runs(shared, schedule).await?;
    let (schedule, precision) = (schedule.clone(), shared.settings.schedule_poll_interval.saturating_mul(2));
    // A strict schedule that was missed for long takes long to compute, and the heartbeat is on this thread.
    let computed = tokio::task::spawn_blocking(move || fire::fire(&schedule, is_busy, now, precision)).await;
    Ok(computed.unwrap_or_else(|panicked| Err(format!("it can't be computed: {panicked}"))))
}

/// Whether the last job of the schedule has not ended.
async fn last_job_runs(shared: &Shared, schedule: &Schedule) -> StorageResult<bool> {
    let Some(last) = schedule.last_run() else { return Ok(false) };
    let job = shared.storage().job(last.job).await?;
    Ok(job.is_some_and(|details| !details.job.state.has_ended()))
}

async fn write(shared: &Shared, fired: Vec<Fired>) -> StorageResult<bool> {
    if fired.is_empty() {
        return Ok(false);
    }
    let (writes, reports): (Vec<_>, Vec<_>) = fired.into_iter().map(|one| (one.write, one.report)).unzip();
    let ids: Vec<_> = writes.iter().map(|write| write.id.clone()).collect();
    let written = shared.storage().write_schedules(writes).await?;
    for ((id, report), written) in ids.iter().zip(reports).zip(written) {
        // Else another server was first, and it has told.
        if written == ScheduleWritten::Stored {
            report.log(id);
        }
    }
    Ok(true)
}
