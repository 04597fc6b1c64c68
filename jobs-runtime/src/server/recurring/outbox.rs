use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

use super::{
    fire::{Due, Fired},
    stalled::Told,
};
use crate::{
    client::{Creations, Schedule, Superseded},
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

/// How long filters may take for the jobs that are made at once.
const LONGEST: Duration = Duration::from_secs(30);

/// The storage failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotWritten(String);

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
            let written = self.shared.storage().write_schedules(writes).await;
            self.tell(creations, &written).await;
            self.has_written |= !ids.is_empty();
            for ((id, report), written) in ids.iter().zip(reports).zip(written?) {
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
    async fn filter(&self, writes: &mut Vec<ScheduleWrite>) -> Vec<Creations> {
        if self.shared.filters().are_none() {
            return Vec::new();
        }
        let (client, mut found) = (self.shared.client.clone(), std::mem::take(writes));
        let filtering = self.on_the_applications_threads(async move {
            let mut all = Vec::with_capacity(found.len());
            for write in &mut found {
                all.push(client.filter(write).await);
            }
            (found, all)
        });
        // Those that were not answered in time are found again.
        let (filtered, creations) = filtering.await.unwrap_or_default();
        *writes = filtered;
        for (write, creations) in writes.iter().zip(&creations) {
            for stopped in creations.stopped() {
                if let Stopped::Failed { source, .. } = stopped {
                    error!(schedule = %write.id, error = %stopped, source, "a slot of a schedule has no job");
                }
            }
        }
        creations
    }

    /// Tells the filters whether the jobs are stored.
    async fn tell(&self, creations: Vec<Creations>, written: &StorageResult<Vec<ScheduleWritten>>) {
        if creations.is_empty() {
            return;
        }
        let written = match written {
            Ok(written) => Ok(written.clone()),
            Err(error) => Err(error.to_string()),
        };
        let telling = self.on_the_applications_threads(async move {
            for (at, creations) in creations.into_iter().enumerate() {
                match written.as_ref().map(|written| written.get(at)) {
                    Ok(Some(ScheduleWritten::Stored)) => creations.end(None).await,
                    Ok(_) => creations.end(Some(&Superseded)).await,
                    Err(error) => creations.end(Some(&NotWritten(error.clone()))).await,
                }
            }
        });
        telling.await;
    }

    /// Filters are the application's code, and what they do must not keep the server's own processes waiting.
    async fn on_the_applications_threads<T: Send + 'static>(
        &self,
        asking: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let asking = AbortOnDropHandle::new(self.shared.runtime.spawn(asking));
        let answer = tokio::time::timeout(LONGEST, asking).await.ok().and_then(Result::ok);
        if answer.is_none() {
            error!(limit = ?LONGEST, "filters did not answer in time about jobs of schedules, or panicked; they are asked again");
        }
        answer
    }

    /// Whether it has written anything at all.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }
}
