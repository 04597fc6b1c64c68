use std::time::Duration;

use tokio::time::Instant;

use super::{
    fire::{Due, Fired},
    stalled::Told,
};
use crate::{
    client::Schedule,
    clock::Timestamp,
    server::shared::Shared,
    storage::{ScheduleWritten, StorageResult},
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
            let (writes, reports): (Vec<_>, Vec<_>) = fired.into_iter().map(|one| (one.write, one.report)).unzip();
            let ids: Vec<_> = writes.iter().map(|write| write.id.clone()).collect();
            let written = self.shared.storage().write_schedules(writes).await?;
            self.has_written = true;
            for ((id, report), written) in ids.iter().zip(reports).zip(written) {
                // Else another server was first, and it has told.
                if written == ScheduleWritten::Stored {
                    report.log(id);
                }
            }
        }
        self.since = Instant::now();
        Ok(())
    }

    /// Whether it has written anything at all.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }
}
