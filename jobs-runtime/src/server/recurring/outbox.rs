use std::time::Duration;

use tokio::time::Instant;
use tracing::error;

use super::{
    fire::{Due, Fired},
    stalled::Told,
};
use crate::{
    client::{Creations, Schedule},
    clock::Timestamp,
    filter::Stopped,
    server::shared::Shared,
    storage::{ScheduleWrite, ScheduleWritten, StorageResult},
};

/// Changes of schedules on their way to the storage: many in one commit, but none is kept back for long.
#[derive(Debug)]
pub(super) struct Outbox<'s> {
    shared: &'s Shared,
    fired: Vec<Fired>,
    jobs: usize,
    since: Instant,
    has_written: bool,
}

/// How many jobs are written at once, unless one schedule alone has more.
pub(super) const JOBS: usize = 1_000;

/// For how long changes are gathered.
pub(super) const GATHER: Duration = Duration::from_millis(20);

impl<'s> Outbox<'s> {
    pub(super) fn new(shared: &'s Shared) -> Self {
        Self { shared, fired: Vec::new(), jobs: 0, since: Instant::now(), has_written: false }
    }

    /// Takes what a schedule has come to, and writes if it is time for that.
    pub(super) async fn add(&mut self, due: &Due, fired: Result<Fired, String>, now: Timestamp) -> StorageResult<()> {
        match fired {
            Ok(fired) => self.push(fired),
            Err(reason) => self.refuse(&due.schedule, &reason, now),
        }
        if self.jobs >= JOBS || self.since.elapsed() >= GATHER { self.write().await } else { Ok(()) }
    }

    /// Notes why no jobs can be made of a schedule.
    pub(super) fn refuse(&mut self, schedule: &Schedule, reason: &str, now: Timestamp) {
        let told = self.shared.stalled().note(schedule, reason, &self.shared.record.id, now);
        match told {
            Some(Told::Stored(fired)) => self.push(fired),
            Some(Told::Logged(report)) => report.log(schedule.id()),
            None => {}
        }
    }

    fn push(&mut self, fired: Fired) {
        self.jobs += fired.write.jobs.len();
        self.fired.push(fired);
    }

    /// Writes all that it has.
    pub(super) async fn write(&mut self) -> StorageResult<()> {
        let fired = std::mem::take(&mut self.fired);
        self.jobs = 0;
        if !fired.is_empty() {
            let (mut writes, reports): (Vec<_>, Vec<_>) = fired.into_iter().map(|one| (one.write, one.report)).unzip();
            let creations = self.filter(&mut writes).await;
            let ids: Vec<_> = writes.iter().map(|write| write.id.clone()).collect();
            let written = self.shared.storage().write_schedules(writes).await?;
            self.has_written = true;
            for (((id, report), creations), written) in ids.iter().zip(reports).zip(creations).zip(written) {
                creations.end(written == ScheduleWritten::Stored).await;
                // Else another server was first, and it has told.
                if written == ScheduleWritten::Stored {
                    report.log(id);
                }
            }
        }
        self.since = Instant::now();
        Ok(())
    }

    /// Asks the filters about the jobs that are made. Those that they stop are left out, and their slots are over.
    async fn filter(&self, writes: &mut [ScheduleWrite]) -> Vec<Creations> {
        let mut all = Vec::with_capacity(writes.len());
        for write in writes {
            let mut creations = self.shared.client.filter(write).await;
            for stopped in creations.stopped() {
                if let Stopped::Failed { job, filter, source } = stopped {
                    error!(schedule = %write.id, job.name = %job, filter, error = source,
                        "a filter failed, and a slot of a schedule has no job");
                }
            }
            all.push(creations);
        }
        all
    }

    /// Whether it has written anything at all.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }
}
