//! The one writer of a process: a thread with the connection that writes.
//!
//! What gathers while one commit is under way goes into the next one together, so the busier the storage, the
//! fewer commits a write costs. It is a thread of its own so that handlers that hog the application's threads
//! can't hold up heartbeats and outcomes.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::{
    Shared, enqueue,
    link::{Cause, Link},
    tx::{Task, Tx},
};
use crate::storage::{NewJob, StorageError, StorageResult, signals::Effects};

/// How many writes may share one commit.
const GROUP: usize = 128;

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    requests: mpsc::Sender<Box<dyn Request>>,
    thread: Handle,
    closed: tokio::sync::watch::Receiver<bool>,
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, link: Link) -> StorageResult<Self> {
        let (requests, inbox) = mpsc::channel(1_024);
        let (closing, closed) = tokio::sync::watch::channel(false);
        let open_error = |source: std::io::Error| StorageError::Open {
            storage: shared.url(),
            reason: "the writer's thread can't be started".to_owned(),
            source: Some(Box::new(source)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(open_error)?;
        let (of_thread, thread) = (Arc::clone(&shared), runtime.handle().clone());
        let work = async move {
            write(inbox, link, &of_thread).await;
            closing.send_replace(true);
        };
        std::thread::Builder::new()
            .name("jobs-sqlite".to_owned())
            .spawn(move || runtime.block_on(work))
            .map_err(open_error)?;
        Ok(Self { requests, thread, closed, shared })
    }

    /// Runs a verb; its answer comes when it is committed.
    pub(super) async fn run<V: Task>(&self, verb: V) -> StorageResult<V::Answer> {
        let (reply, answer) = oneshot::channel();
        let request = Pending { verb, answer: None, reply: Some(reply) };
        let closed = || StorageError::Closed { storage: self.shared.url() };
        self.requests.send(Box::new(request)).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs a read, or what goes on beside the writer, on its thread, so that it too needs none of the application's.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl Future<Output = StorageResult<T>> + Send + 'static,
    ) -> StorageResult<T> {
        let read = self.thread.spawn(read).await;
        read.unwrap_or_else(|_| Err(StorageError::Closed { storage: self.shared.url() }))
    }

    /// Waits until everything that was asked before is written, and the connection is closed.
    pub(super) async fn close(&self) {
        let mut closed = self.closed.clone();
        if self.requests.send(Box::new(Close)).await.is_ok() {
            // An error means that the thread has already gone.
            let _ = closed.wait_for(|closed| *closed).await;
        }
    }
}

/// What comes to the writer: a verb of whatever type, or the wish to close.
#[async_trait]
trait Request: Send {
    /// Runs the verb and keeps its answer.
    async fn run(&mut self, tx: &mut Tx<'_>) -> StorageResult<()>;

    /// Whether it brings new jobs that may be stored with those of others, instead of being run.
    fn is_mergeable(&self) -> bool {
        false
    }

    /// Those jobs; what is answered is kept.
    fn merge(&mut self) -> Option<&[NewJob]> {
        None
    }

    /// Sends the answer that was kept.
    fn succeed(&mut self);

    /// Sends an error.
    fn fail(&mut self, error: StorageError);

    fn closes(&self) -> bool {
        false
    }

    /// Whether nobody waits for it any more: a claim would take jobs that nobody runs.
    fn is_gone(&self) -> bool;
}

struct Pending<V: Task> {
    verb: V,
    answer: Option<V::Answer>,
    reply: Option<oneshot::Sender<StorageResult<V::Answer>>>,
}

impl<V: Task> Pending<V> {
    fn send(&mut self, answer: StorageResult<V::Answer>) {
        if let Some(reply) = self.reply.take() {
            // Nobody waits any more: the caller's time was up. What is written stays written.
            let _ = reply.send(answer);
        }
    }
}

#[async_trait]
impl<V: Task> Request for Pending<V> {
    async fn run(&mut self, tx: &mut Tx<'_>) -> StorageResult<()> {
        self.answer = Some(self.verb.run(tx).await?);
        Ok(())
    }

    fn is_mergeable(&self) -> bool {
        self.verb.mergeable().is_some()
    }

    fn merge(&mut self) -> Option<&[NewJob]> {
        let (jobs, answer) = self.verb.mergeable()?;
        self.answer = Some(answer);
        Some(jobs)
    }

    fn succeed(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.send(Ok(answer));
        }
    }

    fn fail(&mut self, error: StorageError) {
        self.send(Err(error));
    }

    fn is_gone(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

struct Close;

#[async_trait]
impl Request for Close {
    async fn run(&mut self, _: &mut Tx<'_>) -> StorageResult<()> {
        Ok(())
    }

    fn succeed(&mut self) {}

    fn fail(&mut self, _: StorageError) {}

    fn closes(&self) -> bool {
        true
    }

    fn is_gone(&self) -> bool {
        true
    }
}

/// Writes until everyone who could ask has gone, or someone asks to close.
async fn write(mut inbox: mpsc::Receiver<Box<dyn Request>>, mut link: Link, shared: &Shared) {
    let mut group = Vec::with_capacity(GROUP);
    loop {
        let asked = tokio::time::timeout(link.next_look(), inbox.recv_many(&mut group, GROUP)).await;
        let closes = asked == Ok(0) || group.iter().any(|request| request.closes());
        if !group.is_empty() {
            commit(&mut group, &mut link, shared).await;
            group.clear();
        }
        if closes {
            break;
        }
        link.look().await;
    }
    link.close().await;
}

/// Why a group was not committed, of which nothing is written then.
enum Failure {
    /// One of its writes failed.
    One(usize, StorageError),
    /// The new jobs of several callers could not be stored together.
    Merged(StorageError),
    /// Nothing can be written.
    All(Cause),
}

/// Commits a group of writes at once. One that fails is answered, and the others go without it.
async fn commit(group: &mut Vec<Box<dyn Request>>, link: &mut Link, shared: &Shared) {
    let mut together = true;
    group.retain(|request| !request.is_gone());
    while !group.is_empty() {
        match try_commit(group, together, link, shared).await {
            Ok(effects) => {
                group.drain(..).for_each(|mut request| request.succeed());
                effects.announce(&shared.signals);
                link.give_way().await;
            }
            Err(Failure::One(index, error)) => group.remove(index).fail(error),
            Err(Failure::Merged(_)) => together = false,
            Err(Failure::All(cause)) => {
                group.drain(..).for_each(|mut request| request.fail(shared.failed_for_all(&cause)));
            }
        }
    }
}

async fn try_commit(
    group: &mut Vec<Box<dyn Request>>,
    together: bool,
    link: &mut Link,
    shared: &Shared,
) -> Result<Effects, Failure> {
    let _turn = link.turn().await.map_err(Failure::All)?;
    link.begin().await.map_err(Failure::All)?;
    // Some may have gone while others wrote.
    group.retain(|request| !request.is_gone());
    let connection = link.connection().map_err(|error| Failure::All(Arc::new(error)))?;
    match run(group, together, connection, shared).await {
        Ok(effects) => link.commit().await.map(|()| effects).map_err(Failure::All),
        Err(failure) => Err(if link.rollback().await { failure } else { failure.of_all() }),
    }
}

async fn run(
    group: &mut [Box<dyn Request>],
    together: bool,
    connection: &mut SqliteConnection,
    shared: &Shared,
) -> Result<Effects, Failure> {
    let mut tx = Tx { connection, shared, now: shared.clock.now(), effects: Effects::default() };
    // First the new jobs, so that a claim in the same group finds them.
    if together {
        let new_jobs: Vec<&NewJob> = group.iter_mut().filter_map(|request| request.merge()).flatten().collect();
        enqueue::store(&mut tx, &new_jobs).await.map_err(Failure::Merged)?;
    }
    for (index, request) in group.iter_mut().enumerate() {
        if !(together && request.is_mergeable()) {
            request.run(&mut tx).await.map_err(|error| Failure::One(index, error))?;
        }
    }
    Ok(tx.effects)
}

impl Failure {
    /// The same, where the connection broke with it.
    fn of_all(self) -> Self {
        Self::All(match self {
            Self::One(_, StorageError::Failed { source, .. }) | Self::Merged(StorageError::Failed { source, .. }) => {
                source.into()
            }
            Self::One(_, error) | Self::Merged(error) => Arc::new(error),
            Self::All(cause) => cause,
        })
    }
}
