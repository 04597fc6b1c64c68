use std::collections::{HashMap, HashSet};

use super::{Report, SECOND, fire::Fired};
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
pub(super) struct Stalled {
    known: HashMap<ScheduleId, Stall>,
    seen: HashSet<ScheduleId>,
}

#[derive(Debug)]
struct Stall {
    /// Another time to be due means that someone could.
    due_since: Option<Timestamp>,
    tries: u32,
    next_try: Timestamp,
}

/// So many tries, with 1, 2, 4 and 8 seconds between them, until it is told.
const TRIES: u32 = 5;

/// At least so often it is tried again.
const LONGEST: i32 = 60;

impl Stalled {
    /// Begins to forget those that are due no longer.
    pub(super) fn begin_round(&mut self) {
        self.seen.clear();
    }

    pub(super) fn end_round(&mut self) {
        let seen = &self.seen;
        self.known.retain(|id, _| seen.contains(id));
    }

    /// Whether it is too early to try again.
    pub(super) fn is_waiting(&mut self, schedule: &Schedule, now: Timestamp) -> bool {
        let stall = self.known.get(schedule.id()).filter(|stall| stall.due_since == schedule.next_run());
        let waits = stall.is_some_and(|stall| stall.next_try > now);
        if waits {
            self.seen.insert(schedule.id().clone());
        }
        waits
    }

    /// Notes that it can't be done; returns what is to be stored so that it can be seen, if it is time for that.
    pub(super) fn note(
        &mut self,
        schedule: &Schedule,
        reason: String,
        server: &ServerId,
        now: Timestamp,
    ) -> Option<Fired> {
        self.seen.insert(schedule.id().clone());
        let due_since = schedule.next_run();
        let tries = match self.known.get(schedule.id()) {
            Some(stall) if stall.due_since == due_since => stall.tries + 1,
            _ => 1,
        };
        let pause = SECOND * (1 << (tries - 1).min(10)).min(LONGEST);
        self.known.insert(schedule.id().clone(), Stall { due_since, tries, next_try: now + pause });
        if tries < TRIES {
            return None;
        }
        let message = format!("server {server}: {reason}; no other server has made its job either");
        let mut progress = schedule.parts().ok()?.1.clone();
        if progress.error.is_some() {
            return None;
        }
        progress.error = Some(ScheduleFault::new(message.clone(), Some(now)));
        let report = Report { error: Some(message), ..Report::default() };
        Some(Fired { write: schedule.write(due_since, &progress, Vec::new()), report })
    }

    /// When the next of them is to be tried again.
    pub(super) fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        self.known.values().map(|stall| stall.next_try.max(now)).min()
    }
}
