//! Jobs that await others.

use super::{
    rows::Reader,
    tx::{Tx, packed},
};
use crate::{
    job::JobId,
    state::{State, StateName, Transition, release},
    storage::StorageResult,
};

impl Tx<'_> {
    /// Moves the jobs that await `parent`, and with each those that awaited it.
    pub(super) async fn release(&mut self, parent: JobId, to: State, reason: &'static str) -> StorageResult<()> {
        let mut parents = vec![(parent, to, reason)];
        while let Some((parent, to, reason)) = parents.pop() {
            for child in self.children(&packed([&parent])).await? {
                self.apply_one(child, Transition::new(to.clone(), self.now).because(reason)).await?;
                parents.extend(release(to.name()).map(|(next, reason)| (child, next, reason)));
            }
        }
        Ok(())
    }

    /// Moves the jobs that await one of `parents`, packed ids of jobs that succeeded.
    pub(super) async fn release_succeeded(&mut self, parents: Vec<u8>) -> StorageResult<()> {
        let Some((to, reason)) = release(StateName::Succeeded) else { return Ok(()) };
        for child in self.children(&parents).await? {
            self.apply_one(child, Transition::new(to.clone(), self.now).because(reason)).await?;
        }
        Ok(())
    }

    /// The jobs that await one of `parents`.
    async fn children(&mut self, parents: &[u8]) -> StorageResult<Vec<JobId>> {
        let select = self.sql(
            "WITH RECURSIVE {ids}
             SELECT a.job FROM ids CROSS JOIN {p}awaiting a ON a.parent = ids.job",
        );
        let rows = sqlx::query(select).bind(parents.to_vec()).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        rows.iter().map(|row| Reader { row, shared: self.shared }.id("job")).collect()
    }
}
