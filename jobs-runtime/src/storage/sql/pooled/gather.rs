//! New jobs of callers that come at the same time are stored together, each caller waiting for the commit.

use std::sync::Arc;

use async_channel::{Receiver, Sender};
use tokio::{runtime::Handle, sync::oneshot};

use super::{Driver, Shared};
use crate::storage::{Initial, NewJob, StorageError, StorageResult};

/// How many commits may be under way at once: while one waits for the disk, the next one gathers.
const FLUSHERS: usize = 2;

/// How many jobs go into one commit at most; and who brings more by itself has a commit for itself.
const MOST: usize = 512;
const MOST_OF_ONE: usize = 64;

/// How many bytes of arguments go into one commit, unless one caller alone brings more.
const MOST_BYTES: usize = 4 << 20;

/// The way of new jobs to those that store them.
#[derive(Debug)]
pub(super) struct Gatherer(Sender<Request>);

/// Jobs of one caller.
#[derive(Debug)]
struct Request {
    jobs: Vec<NewJob>,
    reply: oneshot::Sender<StorageResult<()>>,
}

impl Request {
    fn bytes(&self) -> usize {
        self.jobs.iter().map(|job| job.invocation.arguments().len()).sum()
    }
}

impl Gatherer {
    pub(super) fn start<D: Driver>(thread: &Handle, shared: &Arc<Shared<D>>) -> Self {
        let (requests, inbox) = async_channel::unbounded();
        for _ in 0..FLUSHERS {
            let (inbox, shared) = (inbox.clone(), Arc::clone(shared));
            thread.spawn(async move { flush(&inbox, &shared).await });
        }
        Self(requests)
    }

    /// Whether the jobs may be stored together with those of others: few, and none that awaits another job.
    pub(super) fn takes(jobs: &[NewJob]) -> bool {
        jobs.len() <= MOST_OF_ONE && !jobs.iter().any(|job| matches!(job.initial, Initial::Awaiting(_)))
    }

    pub(super) async fn store(&self, jobs: Vec<NewJob>, closed: impl Fn() -> StorageError) -> StorageResult<()> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Request { jobs, reply }).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

/// Stores what has gathered, until the storage is gone.
async fn flush<D: Driver>(inbox: &Receiver<Request>, shared: &Shared<D>) {
    while let Ok(first) = inbox.recv().await {
        let (mut jobs, mut bytes) = (first.jobs.len(), first.bytes());
        let mut requests = vec![first];
        while jobs < MOST
            && bytes < MOST_BYTES
            && let Ok(request) = inbox.try_recv()
        {
            jobs += request.jobs.len();
            bytes += request.bytes();
            requests.push(request);
        }
        // Who has gone away may have asked again, and would be answered twice.
        requests.retain(|request| !request.reply.is_closed());
        store(shared, requests).await;
    }
}

async fn store<D: Driver>(shared: &Shared<D>, requests: Vec<Request>) {
    let jobs = || requests.iter().flat_map(|request| request.jobs.clone()).collect();
    let stored = match shared.run(&D::enqueue(jobs())).await {
        // The jobs are not the reason. Should they be stored all the same, they are left as they are.
        Err(error) if is_of_connection(&error) => shared.run(&D::enqueue(jobs())).await,
        stored => stored,
    };
    match stored {
        Ok(()) => requests.into_iter().for_each(|request| answer(request.reply, Ok(()))),
        Err(error) if requests.len() > 1 && is_of_jobs(&error) => {
            // One caller's jobs are the reason: the others' are stored all the same.
            for Request { jobs, reply } in requests {
                answer(reply, shared.run(&D::enqueue(jobs)).await);
            }
        }
        Err(error) => {
            let replies = requests.into_iter().map(|request| request.reply);
            replies.zip(error.copies(&shared.url())).for_each(|(reply, error)| answer(reply, Err(error)));
        }
    }
}

/// Nobody may wait for it any more.
fn answer(reply: oneshot::Sender<StorageResult<()>>, answer: StorageResult<()>) {
    let _ = reply.send(answer);
}

/// Whether the database refused what was to be stored, and not the storage failed as a whole.
fn is_of_jobs(error: &StorageError) -> bool {
    let is_database = |error: &sqlx::Error| matches!(error, sqlx::Error::Database(_));
    matches!(error, StorageError::Refused { .. })
        || driver_error(error).is_some_and(is_database) && !is_of_connection(error)
}

/// Whether a connection ended before the answer came: it broke, or the server ended it, as the SQLSTATE says.
fn is_of_connection(error: &StorageError) -> bool {
    match driver_error(error) {
        Some(sqlx::Error::Io(_)) => true,
        Some(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            ["08", "57", "70"].iter().any(|class| code.starts_with(class))
        }
        _ => false,
    }
}

fn driver_error(error: &StorageError) -> Option<&sqlx::Error> {
    let StorageError::Failed { source, .. } = error else { return None };
    source.downcast_ref()
}
