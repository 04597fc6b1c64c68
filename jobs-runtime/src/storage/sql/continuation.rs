//! Jobs that await others.

use super::{
    session::{Write, params, read},
    transition::apply_to_child,
};
use crate::{
    job::JobId,
    state::{State, StateName, Transition, release as next},
    storage::StorageResult,
};

/// Moves the jobs that await `parent`, and with each those that awaited it.
pub(crate) async fn release<S: Write>(tx: &mut S, parent: JobId, to: State, reason: &'static str) -> StorageResult<()> {
    let mut parents = vec![(parent, to, reason)];
    while let Some((parent, to, reason)) = parents.pop() {
        for child in children(tx, vec![parent]).await? {
            let transition = Transition::new(to.clone(), tx.now()).because(reason);
            if apply_to_child(tx, child, transition).await? {
                parents.extend(next(to.name()).map(|(next, reason)| (child, next, reason)));
            }
        }
    }
    Ok(())
}

/// Moves the jobs that await one of `parents`, which succeeded.
pub(crate) async fn release_succeeded<S: Write>(tx: &mut S, parents: Vec<JobId>) -> StorageResult<()> {
    let Some((to, reason)) = next(StateName::Succeeded) else { return Ok(()) };
    for child in children(tx, parents).await? {
        let transition = Transition::new(to.clone(), tx.now()).because(reason);
        apply_to_child(tx, child, transition).await?;
    }
    Ok(())
}

/// The jobs that await one of `parents`.
async fn children<S: Write>(tx: &mut S, parents: Vec<JobId>) -> StorageResult<Vec<JobId>> {
    let rows = tx.fetch("SELECT a.job FROM {p}awaiting a WHERE a.parent {in_ids}", params![parents]).await?;
    read(tx, &rows, |row| row.id("job"))
}
