//! Makes jobs of the schedules of one page.

use std::{collections::HashSet, time::Duration};

use super::{
    catch_up::CatchUp,
    fire::{Due, awaited},
    outbox::Outbox,
};
use crate::{
    client::Schedule,
    clock::Timestamp,
    job::JobId,
    server::shared::Shared,
    storage::{StorageResult, StoredSchedule},
};

/// For how many jobs is asked at once.
const STATES: usize = 5_000;

/// Makes the jobs of schedules that are due, leaves to `catch_up` what may take long, or notes why it can't be done;
/// returns whether it wrote anything.
pub(super) async fn follow(shared: &Shared, catch_up: &mut CatchUp, page: Vec<StoredSchedule>) -> StorageResult<bool> {
    let now = shared.storage().clock().now();
    let due = to_be_tried(shared, catch_up, page, now).into_iter().map(|schedule| (awaited(&schedule), schedule));
    let (plain, waiting): (Vec<_>, Vec<_>) = due.partition(|(awaited, _)| awaited.is_empty());
    let mut outbox = Outbox::new(shared);
    for (_, schedule) in plain {
        try_one(shared, schedule, Vec::new(), now, catch_up, &mut outbox).await?;
    }
    // What must know how earlier jobs fare doesn't hold up what need not.
    outbox.write().await?;
    let unended = unended(shared, waiting.iter().flat_map(|(awaited, _)| awaited)).await;
    for (mut awaited, schedule) in waiting {
        match &unended {
            Ok(unended) => {
                awaited.retain(|job| unended.contains(job));
                try_one(shared, schedule, awaited, now, catch_up, &mut outbox).await?;
            }
            Err(error) => {
                outbox.refuse(&schedule, &format!("whether its earlier jobs have ended can't be told: {error}"), now);
            }
        }
    }
    outbox.write().await?;
    Ok(outbox.has_written())
}

/// The schedules of a page, but for those of which it is known that nothing would come of them now. Of these there may
/// be thousands, so they are not even read.
fn to_be_tried(shared: &Shared, catch_up: &CatchUp, page: Vec<StoredSchedule>, now: Timestamp) -> Vec<Schedule> {
    let mut stalled = shared.stalled();
    let known = |found: &StoredSchedule| stalled.is_waiting(&found.id, found.version, now) || catch_up.has(found);
    let known: Vec<bool> = page.iter().map(known).collect();
    page.into_iter().zip(known).filter(|(_, known)| !known).map(|(found, _)| Schedule::read(found)).collect()
}

/// Which of these jobs have not ended.
async fn unended(shared: &Shared, awaited: impl Iterator<Item = &JobId>) -> StorageResult<HashSet<JobId>> {
    let (awaited, mut unended): (Vec<JobId>, HashSet<JobId>) = (awaited.copied().collect(), HashSet::new());
    for ids in awaited.chunks(STATES) {
        let states = shared.storage().states(ids).await?;
        unended.extend(states.iter().filter(|(_, state)| !state.has_ended()).map(|(id, _)| *id));
    }
    Ok(unended)
}

async fn try_one(
    shared: &Shared,
    schedule: Schedule,
    unended: Vec<JobId>,
    now: Timestamp,
    catch_up: &mut CatchUp,
    outbox: &mut Outbox<'_>,
) -> StorageResult<()> {
    let job = schedule.definition().map(|definition| definition.job());
    if let Some(job) = job.filter(|job| shared.registry.get(job).is_none()) {
        outbox.refuse(&schedule, &format!("it has no handler for job `{job}`"), now);
        return Ok(());
    }
    let due = Due::new(schedule, unended, now, precision(shared));
    if due.takes_long() {
        catch_up.add(due);
        return Ok(());
    }
    let fired = due.fire(now);
    outbox.add(&due, fired, now).await
}

/// How old a slot may be that is ignored when it was missed.
fn precision(shared: &Shared) -> Duration {
    shared.settings.schedule_poll_interval.saturating_mul(2)
}
