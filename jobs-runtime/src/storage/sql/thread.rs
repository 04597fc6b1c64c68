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

    /// Runs `work` on the thread; to its end, also if the caller goes away: a connection that is left in the middle of a
    /// statement is of no use to anyone.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        storage: impl Fn() -> String,
        work: impl Future<Output = StorageResult<T>> + Send + 'static,
    ) -> StorageResult<T> {
        match self.handle.spawn(work).await {
            Ok(answer) => answer,
            Err(error) => Err(StorageError::Failed { storage: storage(), source: error.into() }),
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thread")
    }
}
