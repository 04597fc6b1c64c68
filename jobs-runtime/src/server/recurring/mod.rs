//! Makes jobs of schedules whose slots have come.
//!
//! Any number of servers do so at once: each computes what is due, and the storage takes the first one's write for a
//! schedule and refuses the others'.

mod catch_up;
pub(super) mod declared;
mod fire;
mod follow;
mod outbox;
mod report;
mod stalled;

pub(super) use self::stalled::Stalled;
use self::{catch_up::CatchUp, follow::follow};
use super::shared::Shared;
use crate::{
    clock::{Clock, Timestamp},
    storage::{DueCursor, StorageResult, Topic},
};

/// How many due schedules are looked at in one go.
const PAGE: usize = 500;

/// Makes jobs of what is due, and sleeps until the next schedule is; until the server stops claiming. From then on slots
/// are left to other servers, or to be made up for: this one would not run their jobs.
pub(super) async fn run(shared: &Shared) -> StorageResult<()> {
    let storage = shared.storage();
    let mut changed = storage.signals().subscribe(Topic::Recurring);
    let mut catch_up = CatchUp::default();
    let stop = &shared.stop.claiming;
    while !stop.is_cancelled() {
        changed.reset();
        let next = round(shared, &mut catch_up).await?;
        shared.health.recovered("recurring");
        catch_up.start(storage.clock().now());
        tokio::select! {
            () = sleep_until(storage.clock(), next) => {}
            () = changed.changed() => {}
            () = stop.cancelled() => {}
            finished = catch_up.finished() => finished.write(shared).await?,
            () = tokio::time::sleep(shared.settings.schedule_poll_interval) => {}
        }
    }
    Ok(())
}

async fn sleep_until(clock: &Clock, moment: Option<Timestamp>) {
    match moment {
        Some(moment) => clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Goes through all that is due; returns when to look again.
async fn round(shared: &Shared, catch_up: &mut CatchUp) -> StorageResult<Option<Timestamp>> {
    let now = shared.storage().clock().now();
    let (mut after, mut wrote): (Option<DueCursor>, bool) = (None, false);
    shared.stalled().begin_round();
    loop {
        let page = shared.storage().due_schedules(after, PAGE).await?;
        after = page.due.last().and_then(|last| Some((last.next_run?, last.id.clone())));
        let is_last = page.due.len() < PAGE;
        wrote |= follow(shared, catch_up, page.due).await?;
        if is_last {
            let mut stalled = shared.stalled();
            stalled.end_round();
            // What was written, by this server or by one that was faster, is due next at a time that is not known yet.
            let again = wrote.then_some(now);
            return Ok([again, page.next_due, stalled.next_try(now)].into_iter().flatten().min());
        }
    }
}
