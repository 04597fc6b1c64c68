//! Letting jobs await others, where several connections write at once.

use std::collections::BTreeSet;

use super::{
    continuation::release as follow,
    session::{Write, params},
    stored::Stored,
};
use crate::{
    job::JobId,
    state::{StateName, release},
    storage::{Initial, NewJob, StorageError, StorageResult},
};

/// Lets jobs that were just stored follow those that they await, if these are done with; or notes that they are awaited.
pub(crate) async fn attach<S: Write>(tx: &mut S, jobs: &[NewJob]) -> StorageResult<()> {
    for parent in parents(jobs) {
        attach_to(tx, parent).await?;
    }
    Ok(())
}

/// The awaited jobs, those of the batch itself included; in one order, whoever locks them.
fn parents(jobs: &[NewJob]) -> BTreeSet<JobId> {
    let parent = |job: &NewJob| match job.initial {
        Initial::Awaiting(parent) => Some(parent),
        _ => None,
    };
    jobs.iter().filter_map(parent).collect()
}

/// The usual way, from the queue to success, looks neither at the body nor for those who await: what it finds in `ready`
/// and `processing` tells it whether there are such. So the note is written there too. A claim or an outcome that is on
/// its way has the row locked, and the next look finds where the job went.
async fn attach_to<S: Write>(tx: &mut S, parent: JobId) -> StorageResult<()> {
    loop {
        let Some(stored) = tx.find(parent).await? else {
            return Err(StorageError::UnknownParent { storage: tx.storage(), parent });
        };
        if let Some((to, reason)) = release(stored.state) {
            return follow(tx, parent, to, reason).await;
        }
        tx.execute("UPDATE {p}job SET awaited = true WHERE id = ?", params![parent]).await?;
        if tx.note_awaited(&stored).await? {
            return Ok(());
        }
    }
}

/// Notes where the job waits or runs that it is awaited; returns whether it still was there.
pub(crate) async fn note_awaited<S: Write>(tx: &mut S, stored: &Stored) -> StorageResult<bool> {
    let noted = match stored.state {
        StateName::Enqueued => {
            const UPDATE: &str = "UPDATE {p}ready SET awaited = true WHERE queue = ? AND {rank} = ? AND seq = ?";
            tx.execute(UPDATE, params![stored.queue.as_str(), -stored.priority, stored.place]).await?
        }
        StateName::Processing => {
            const UPDATE: &str = "UPDATE {p}processing SET awaited = true WHERE job = ? AND token = ?";
            tx.execute(UPDATE, params![stored.id, stored.token().map(|token| token.0)]).await?
        }
        // It can't move while its body is locked.
        _ => 1,
    };
    Ok(noted == 1)
}
