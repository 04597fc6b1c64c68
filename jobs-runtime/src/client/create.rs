//! The way of new jobs through the filters into the storage.

use std::error::Error;

use super::{Client, EnqueueError};
use crate::{
    filter::{Chain, Creation, Stopped},
    storage::{Initial, NewJob, ScheduleWrite, StorageResult},
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
        let Some(chains) = self.chains(&jobs) else { return Ok(store(jobs).await?) };
        let mut creations = Creations::begin(jobs, chains, true).await;
        let result = match creations.take_stopped() {
            Some(stopped) => Err(stopped.into()),
            None => self.store_filtered(&creations, store).await,
        };
        creations.end(result.as_ref().err().map(|error| error as _)).await;
        result
    }

    async fn store_filtered<S>(
        &self,
        creations: &Creations,
        store: impl FnOnce(Vec<NewJob>) -> S,
    ) -> Result<(), EnqueueError>
    where
        S: Future<Output = StorageResult<()>>,
    {
        for creation in &creations.0 {
            self.check_size(&creation.job.invocation)?;
        }
        Ok(store(creations.passed()).await?)
    }

    /// Lets the jobs that a schedule makes go through their filters; those that these stop are taken out of the write.
    pub(crate) async fn filter(&self, write: &mut ScheduleWrite) -> Creations {
        let Some(chains) = self.chains(&write.jobs) else { return Creations(Vec::new()) };
        let mut creations = Creations::begin(std::mem::take(&mut write.jobs), chains, false).await;
        for creation in creations.0.iter_mut().filter(|creation| creation.stopped.is_none()) {
            creation.stopped = self.check_of_schedule(&creation.job).err().map(|source| Stopped::Failed {
                job: creation.job.invocation.name().clone(),
                filter: "of the schedule's job",
                source,
            });
        }
        write.jobs = creations.passed();
        creations
    }

    /// What would keep the whole schedule from being written, again and again.
    fn check_of_schedule(&self, job: &NewJob) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.check_size(&job.invocation)?;
        match job.initial {
            Initial::Awaiting(_) => Err("a job of a schedule can't await another job".into()),
            _ => Ok(()),
        }
    }

    /// The filters of each job; `None` if none has any.
    fn chains(&self, jobs: &[NewJob]) -> Option<Vec<Chain>> {
        if self.filters().are_none() {
            return None;
        }
        let chains: Vec<Chain> = jobs.iter().map(|job| self.filters().of(job.invocation.name())).collect();
        chains.iter().any(|chain| !chain.is_empty()).then_some(chains)
    }
}

/// Jobs on their way through their filters, and back.
pub(crate) struct Creations(Vec<Creation>);

/// A schedule's jobs were made by another server, or the schedule was changed.
#[derive(Debug, thiserror::Error)]
#[error("the schedule was changed meanwhile, perhaps by a server that made the same job")]
pub(crate) struct Superseded;

impl Creations {
    /// Asks the filters of each job; if `all` are stored or none, until one is stopped.
    async fn begin(jobs: Vec<NewJob>, chains: Vec<Chain>, all: bool) -> Self {
        let mut creations = Vec::with_capacity(jobs.len());
        for (job, chain) in jobs.into_iter().zip(chains) {
            let creation = Creation::begin(job, chain).await;
            let is_last = all && creation.stopped.is_some();
            creations.push(creation);
            if is_last {
                break;
            }
        }
        Self(creations)
    }

    /// Those jobs that no filter has stopped.
    fn passed(&self) -> Vec<NewJob> {
        let passed = self.0.iter().filter(|creation| creation.stopped.is_none());
        passed.map(|creation| creation.job.clone()).collect()
    }

    /// Why jobs were stopped.
    pub(crate) fn stopped(&self) -> impl Iterator<Item = &Stopped> {
        self.0.iter().filter_map(|creation| creation.stopped.as_ref())
    }

    /// Why the first of them was stopped.
    pub(crate) fn take_stopped(&mut self) -> Option<Stopped> {
        self.0.iter_mut().find_map(|creation| creation.stopped.take())
    }

    /// Tells the filters what became of the jobs; `error` is why they are not stored, if a filter is not the reason.
    pub(crate) async fn end(self, error: Option<&(dyn Error + Send + Sync + 'static)>) {
        for creation in self.0.iter().rev() {
            let own = creation.stopped.as_ref().map(|stopped| stopped as _);
            creation.end(own.or(error)).await;
        }
    }
}
