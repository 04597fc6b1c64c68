use std::{fmt, io, thread};

use tokio::{runtime::Handle, sync::oneshot};

use crate::storage::{StorageError, StorageResult};

/// A thread on which a storage talks to its database, so that handlers that hog the application's threads can't hold up
/// heartbeats and outcomes. It ends with its storage.
pub(crate) struct Thread {
    handle: Handle,
    _until: oneshot::Sender<()>,
}

impl Thread {
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (until, ended) = oneshot::channel::<()>();
        let handle = runtime.handle().clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            // An error means that the storage is gone, which is the end.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _until: until })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `work` on the thread. If the caller goes away it is ended: what it began in a transaction is rolled back.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        storage: impl Fn() -> String,
        work: impl Future<Output = StorageResult<T>> + Send + 'static,
    ) -> StorageResult<T> {
        let mut task = AbortOnDrop(self.handle.spawn(work));
        match (&mut task.0).await {
            Ok(answer) => answer,
            Err(error) => Err(StorageError::Failed { storage: storage(), source: error.into() }),
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thread")
    }
}
