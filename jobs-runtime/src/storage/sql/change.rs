use super::{
    session::{Verb, Write},
    transition::{Expected, Refusal, apply},
};
use crate::{
    state::StateName,
    storage::{Change, Changed, StorageResult},
};

/// Moves jobs by hand.
pub(crate) struct ChangeBatch(pub(crate) Vec<Change>);

impl Verb for ChangeBatch {
    type Answer = Vec<Changed>;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<Vec<Changed>> {
        tx.lock(self.0.iter().map(|change| change.job).collect()).await?;
        let mut changed = Vec::with_capacity(self.0.len());
        for change in &self.0 {
            changed.push(match apply(tx, change.job, Expected::States(change.from), &change.transition).await? {
                Ok(from) => {
                    tx.effects().revoked |= from == StateName::Processing;
                    Changed::Moved(from)
                }
                Err(Refusal::State(state)) => Changed::Refused(state),
                Err(Refusal::NotFound) => Changed::NotFound,
            });
        }
        Ok(changed)
    }
}
