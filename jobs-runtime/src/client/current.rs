use std::{
    future::Future,
    sync::{PoisonError, RwLock},
};

use super::Client;
use crate::job::{self, FromContext, JobContext, JobError};

/// The client of the whole process.
static PROCESS: RwLock<Option<Client>> = RwLock::new(None);

tokio::task_local! {
    /// The client of the current task; it goes before that of the process.
    static SCOPED: Client;
}

/// Makes `client` the one that `SomeJob::enqueue(…)` uses everywhere in this process.
///
/// It may be called again; later calls replace the client.
pub fn set_client(client: Client) {
    *PROCESS.write().unwrap_or_else(PoisonError::into_inner) = Some(client);
}

/// In a job: the client of the server that runs it. Mark the parameter `#[inject]`.
impl FromContext for Client {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        Self::current().ok_or_else(|| JobError::permanent(format!("job {} runs outside a server", cx.job_id())))
    }
}

/// Runs the code of a job that may block, with the client that the job has.
#[doc(hidden)]
pub async fn blocking<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> T {
    let client = Client::current();
    job::blocking(move || match client {
        Some(client) => client.sync_scope(code),
        None => code(),
    })
    .await
}

impl Client {
    /// Runs `future` with this client as the one that `SomeJob::enqueue(…)` uses in it, before that of the
    /// process. Tasks that it spawns don't inherit the client.
    ///
    /// A server runs each job in the scope of its own client.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        SCOPED.scope(self.clone(), future).await
    }

    /// The same for code that isn't `async`.
    pub fn sync_scope<T>(&self, code: impl FnOnce() -> T) -> T {
        SCOPED.sync_scope(self.clone(), code)
    }

    /// The client of the current task, or else of the process, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        SCOPED.try_with(Self::clone).ok().or_else(|| PROCESS.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
