//! The one writer of a process: a thread with the connection that writes.
//!
//! What gathers while one commit is under way goes into the next one together, so the busier the storage, the
//! fewer commits a write costs. It is a thread of its own so that handlers that hog the application's threads
//! can't hold up heartbeats and outcomes.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use tracing::error;

use super::{
    Shared, enqueue,
    tx::{Tx, Verb},
    watcher,
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
    pub(super) fn start(
        shared: Arc<Shared>,
        connection: SqliteConnection,
        watched: SqliteConnection,
    ) -> StorageResult<Self> {
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
            tokio::select! {
                () = write(inbox, connection, &of_thread) => {}
                () = watcher::watch(watched, &of_thread) => {}
            }
            closing.send_replace(true);
        };
        std::thread::Builder::new()
            .name("jobs-sqlite".to_owned())
            .spawn(move || runtime.block_on(work))
            .map_err(open_error)?;
        Ok(Self { requests, thread, closed, shared })
    }

    /// Runs a verb; its answer comes when it is committed.
    pub(super) async fn run<V: Verb>(&self, verb: V) -> StorageResult<V::Answer> {
        let (reply, answer) = oneshot::channel();
        let request = Pending { verb, answer: None, reply: Some(reply) };
        let closed = || StorageError::Closed { storage: self.shared.url() };
        self.requests.send(Box::new(request)).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs a read on the writer's thread, so that it too needs none of the application's.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl Future<Output = sqlx::Result<T>> + Send + 'static,
    ) -> StorageResult<T> {
        let read = self.thread.spawn(read).await;
        let read = read.map_err(|_| StorageError::Closed { storage: self.shared.url() })?;
        read.map_err(|error| match error {
            sqlx::Error::PoolClosed => StorageError::Closed { storage: self.shared.url() },
            error => self.shared.failed(error),
        })
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
}

struct Pending<V: Verb> {
    verb: V,
    answer: Option<V::Answer>,
    reply: Option<oneshot::Sender<StorageResult<V::Answer>>>,
}

impl<V: Verb> Pending<V> {
    fn send(&mut self, answer: StorageResult<V::Answer>) {
        if let Some(reply) = self.reply.take() {
            // Nobody waits any more: the caller's time was up. What is written stays written.
            let _ = reply.send(answer);
        }
    }
}

#[async_trait]
impl<V: Verb> Request for Pending<V> {
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
}

/// Writes until everyone who could ask has gone, or someone asks to close.
async fn write(mut inbox: mpsc::Receiver<Box<dyn Request>>, mut connection: SqliteConnection, shared: &Shared) {
    let mut group = Vec::with_capacity(GROUP);
    while inbox.recv_many(&mut group, GROUP).await > 0 {
        let closes = group.iter().any(|request| request.closes());
        commit(&mut group, &mut connection, shared).await;
        group.clear();
        if closes {
            break;
        }
    }
    if let Err(source) = connection.close().await {
        error!(storage = %shared.url(), error = %source, "closing the SQLite connection failed");
    }
}

/// Commits a group of writes at once; if one of them fails, each alone, so that only that one's caller sees it.
async fn commit(group: &mut [Box<dyn Request>], connection: &mut SqliteConnection, shared: &Shared) {
    match try_commit(group, connection, shared).await {
        Ok(effects) => {
            group.iter_mut().for_each(|request| request.succeed());
            effects.announce(&shared.signals);
        }
        Err(error) => match group {
            [only] => only.fail(error),
            several => {
                for request in several.chunks_mut(1) {
                    Box::pin(commit(request, connection, shared)).await;
                }
            }
        },
    }
}

async fn try_commit(
    group: &mut [Box<dyn Request>],
    connection: &mut SqliteConnection,
    shared: &Shared,
) -> StorageResult<Effects> {
    let failed = |source| shared.failed(source);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let now = shared.options.clock.now();
    let mut tx = Tx { connection: &mut transaction, shared, now, effects: Effects::default() };
    // First the new jobs, so that a claim in the same group finds them.
    let new_jobs: Vec<&NewJob> = group.iter_mut().filter_map(|request| request.merge()).flatten().collect();
    enqueue::store(&mut tx, &new_jobs).await?;
    for request in group.iter_mut().filter(|request| !request.is_mergeable()) {
        request.run(&mut tx).await?;
    }
    let effects = tx.effects;
    transaction.commit().await.map_err(failed)?;
    Ok(effects)
}
