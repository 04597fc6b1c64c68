//! Schedules of which several slots have come, such as strict ones after a downtime. It may take long to compute them,
//! so that is done on another thread, while all others go on.

use std::collections::{HashMap, VecDeque};

use tokio::{task::JoinHandle, time::Instant};

use super::{
    fire::{Due, Fired},
    outbox::{GATHER, JOBS, Outbox},
};
use crate::{
    clock::Timestamp,
    schedule::ScheduleId,
    server::shared::Shared,
    storage::{StorageResult, StoredSchedule},
};

/// So many may wait; those beyond are found again later.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct CatchUp {
    waiting: VecDeque<Due>,
    underway: Option<JoinHandle<Step>>,
    /// Those that wait or are under way, by the version that was found.
    known: HashMap<ScheduleId, i64>,
}

/// As many schedules as are computed in one go, and those that were left.
#[derive(Debug)]
struct Step {
    now: Timestamp,
    computed: Vec<(Due, Result<Fired, String>)>,
    rest: VecDeque<Due>,
}

impl CatchUp {
    /// Whether it is at work on the schedule as it was found.
    pub(super) fn has(&self, found: &StoredSchedule) -> bool {
        self.known.get(&found.id) == Some(&found.version)
    }

    pub(super) fn add(&mut self, due: Due) {
        if self.known.len() < MOST {
            self.known.insert(due.schedule.id().clone(), due.schedule.version());
            self.waiting.push_back(due);
        }
    }

    /// Begins the next step, if none is under way.
    pub(super) fn start(&mut self, now: Timestamp) {
        if self.underway.is_none() && !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            self.underway = Some(tokio::task::spawn_blocking(move || Step::run(waiting, now)));
        }
    }

    /// Waits until a step is done, for ever if none is under way. It may be dropped before that and called again.
    pub(super) async fn finished(&mut self) -> Finished {
        let Some(underway) = &mut self.underway else { return std::future::pending().await };
        let step = underway.await;
        self.underway = None;
        let Ok(Step { now, computed, mut rest }) = step else {
            // The process ends. If not, all of them are found again.
            *self = Self::default();
            return Finished::default();
        };
        rest.append(&mut self.waiting);
        self.waiting = rest;
        for (due, _) in &computed {
            self.known.remove(due.schedule.id());
        }
        Finished { now, computed }
    }
}

impl Step {
    /// Computes until there is enough for one commit.
    fn run(mut waiting: VecDeque<Due>, now: Timestamp) -> Self {
        let (began, mut jobs, mut computed) = (Instant::now(), 0, Vec::new());
        while let Some(due) = waiting.pop_front() {
            let fired = due.fire(now);
            jobs += fired.as_ref().map_or(0, |fired| fired.write.jobs.len());
            computed.push((due, fired));
            if jobs >= JOBS || began.elapsed() >= GATHER {
                break;
            }
        }
        Self { now, computed, rest: waiting }
    }
}

/// What a step has come to.
#[derive(Debug, Default)]
pub(super) struct Finished {
    now: Timestamp,
    computed: Vec<(Due, Result<Fired, String>)>,
}

impl Finished {
    pub(super) async fn write(self, shared: &Shared) -> StorageResult<()> {
        let mut outbox = Outbox::new(shared);
        for (due, fired) in self.computed {
            outbox.add(&due, fired, self.now).await?;
        }
        outbox.write().await
    }
}
