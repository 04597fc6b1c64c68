//! The way of new jobs through the filters into the storage.

use super::{Client, EnqueueError};
use crate::{
    filter::{Creation, Stopped},
    storage::{NewJob, ScheduleWrite, StorageResult},
};

impl Client {
    /// Stores jobs, all or none, as the filters leave them.
    pub(super) async fn create(&self, jobs: Vec<NewJob>) -> Result<(), EnqueueError> {
        self.create_by(jobs, |jobs| self.store(jobs)).await
    }

    /// The same by another way into the storage.
    pub(super) async fn create_by<S>(
        &self,
        jobs: Vec<NewJob>,
        store: impl FnOnce(Vec<NewJob>) -> S,
    ) -> Result<(), EnqueueError>
    where
        S: Future<Output = StorageResult<()>>,
    {
        if jobs.is_empty() {
            return Ok(());
        }
        if !self.has_filters(&jobs) {
            return Ok(store(jobs).await?);
        }
        let mut creations = self.begin(jobs).await;
        let result = match creations.iter_mut().find_map(|creation| creation.stopped.take()) {
            Some(stopped) => Err(stopped.into()),
            None => self.store_filtered(&creations, store).await,
        };
        for creation in creations.iter().rev() {
            creation.end(result.as_ref().err().map(|error| error as _)).await;
        }
        result
    }

    /// Asks the filters of each job, until one is stopped.
    async fn begin(&self, jobs: Vec<NewJob>) -> Vec<Creation> {
        let mut creations = Vec::with_capacity(jobs.len());
        for job in jobs {
            let chain = self.filters().of(job.invocation.name());
            let creation = Creation::begin(job, chain).await;
            let is_stopped = creation.stopped.is_some();
            creations.push(creation);
            if is_stopped {
                break;
            }
        }
        creations
    }

    async fn store_filtered<S>(
        &self,
        creations: &[Creation],
        store: impl FnOnce(Vec<NewJob>) -> S,
    ) -> Result<(), EnqueueError>
    where
        S: Future<Output = StorageResult<()>>,
    {
        for creation in creations {
            self.check_size(&creation.job.invocation)?;
        }
        Ok(store(creations.iter().map(|creation| creation.job.clone()).collect()).await?)
    }

    /// Lets the jobs that a schedule makes go through their filters; those that these stop are taken out of the write.
    pub(crate) async fn filter(&self, write: &mut ScheduleWrite) -> Creations {
        if !self.has_filters(&write.jobs) {
            return Creations(Vec::new());
        }
        let mut creations = Vec::with_capacity(write.jobs.len());
        for job in std::mem::take(&mut write.jobs) {
            let chain = self.filters().of(job.invocation.name());
            creations.push(Creation::begin(job, chain).await);
        }
        let passed = creations.iter().filter(|creation| creation.stopped.is_none());
        write.jobs = passed.map(|creation| creation.job.clone()).collect();
        Creations(creations)
    }

    fn has_filters(&self, jobs: &[NewJob]) -> bool {
        jobs.iter().any(|job| !self.filters().of(job.invocation.name()).is_empty())
    }
}

/// The jobs that a schedule makes, on their way back through their filters.
pub(crate) struct Creations(Vec<Creation>);

/// A schedule's jobs were made by another server, or the schedule was changed.
#[derive(Debug, thiserror::Error)]
#[error("the schedule was changed meanwhile, perhaps by a server that made the same job")]
struct Superseded;

impl Creations {
    /// Why jobs were stopped.
    pub(crate) fn stopped(&mut self) -> Vec<Stopped> {
        self.0.iter_mut().filter_map(|creation| creation.stopped.take()).collect()
    }

    /// Tells the filters whether the schedule, and its jobs with it, was written.
    pub(crate) async fn end(self, is_stored: bool) {
        for creation in self.0.iter().rev() {
            let error = (!is_stored).then_some(&Superseded as _);
            creation.end(error).await;
        }
    }
}
