//! The way of new jobs through the filters into the storage.

use super::{Client, EnqueueError};
use crate::{
    filter::Creation,
    storage::{NewJob, StorageResult},
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

    fn has_filters(&self, jobs: &[NewJob]) -> bool {
        jobs.iter().any(|job| !self.filters().of(job.invocation.name()).is_empty())
    }
}
