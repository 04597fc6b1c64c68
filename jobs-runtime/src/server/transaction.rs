//! How a run ends whose handler wrote in a transaction.

use super::{completer, shared::Shared};
use crate::{
    job::{JobContext, JobError, Left},
    state::Ended,
    storage::{Finish, JobTransaction, StorageResult},
};

/// How a run ended, and the transaction in which that is to be recorded, if the handler has begun one.
///
/// Unless the run succeeded, the transaction is dropped here, and so rolled back.
pub(super) fn settle(ended: Ended, cx: &JobContext) -> (Ended, Option<JobTransaction>) {
    match (ended, cx.transaction().end()) {
        (Ended::Returned(result), Left::Open(transaction)) => match transaction.downcast() {
            Ok(transaction) => (Ended::Returned(result), Some(*transaction)),
            Err(_) => (Ended::Failed(JobError::permanent(Unknown)), None),
        },
        (Ended::Returned(_), Left::Kept) => (Ended::Failed(JobError::new(Kept)), None),
        (ended, _) => (ended, None),
    }
}

/// Ends a run's transaction when it is dropped, if it was not [settled](settle): the worker was aborted. Whoever still has
/// the run's context has no transaction any more, and the locks of what was written are released.
pub(super) struct EndAtDrop<'c>(pub(super) &'c JobContext);

impl Drop for EndAtDrop<'_> {
    fn drop(&mut self) {
        drop(self.0.transaction().end());
    }
}

/// Records a success in the run's transaction, and commits both: at once, because the transaction keeps locks.
pub(super) async fn record(shared: &Shared, transaction: JobTransaction, finish: &Finish) -> StorageResult<()> {
    let recorded = shared.storage().finish_in(transaction, finish.clone()).await?;
    completer::end(shared, std::slice::from_ref(finish), &[recorded]);
    shared.demand.ended(1);
    Ok(())
}

/// The handler returned, and its `JobTx` is still in use.
#[derive(Debug, thiserror::Error)]
#[error(
    "the handler has returned, but something else still has its `JobTx`, so what was written in it can't be committed \
     with the job's success; let the `JobTx` end with the handler, and wait for tasks that use it"
)]
struct Kept;

/// What is in the place of the run's transaction is none.
#[derive(Debug, thiserror::Error)]
#[error("what the handler wrote can't be committed: its transaction is of a type that the server doesn't know")]
struct Unknown;
