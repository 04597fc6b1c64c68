//! The application's own background processes.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{shared::Shared, supervise::supervise};
use crate::{client::Client, job::Data, storage::ServerId};

/// What a background process returns; `?` takes any error.
pub type BackgroundResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What a background process of the application may know and do, see
/// [`background`](super::JobServerBuilder::background); cheap to clone.
#[derive(Clone)]
pub struct BackgroundContext {
    name: &'static str,
    shared: Arc<Shared>,
}

impl BackgroundContext {
    /// The process' name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The server that supervises it.
    #[must_use]
    pub fn server_id(&self) -> &ServerId {
        &self.shared.record.id
    }

    /// A client of the server's storage.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// The value of type `T` that the server shares, if it has one.
    #[must_use]
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<Data<T>> {
        self.shared.data.get()
    }

    /// Cancelled when the server begins to shut down.
    #[must_use]
    pub fn stopping_token(&self) -> CancellationToken {
        self.shared.stop.claiming.clone()
    }

    /// Waits for this time, and returns whether to go on: `false` at once when the server begins to shut down. A process
    /// that failed before counts as healthy again.
    pub async fn wait(&self, time: Duration) -> bool {
        self.shared.health.recovered(self.name);
        tokio::select! {
            biased;
            () = self.shared.stop.claiming.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

impl fmt::Debug for BackgroundContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundContext").field("name", &self.name).finish_non_exhaustive()
    }
}

type Run = dyn Fn(BackgroundContext) -> Pin<Box<dyn Future<Output = BackgroundResult> + Send>> + Send + Sync;

/// A process that was asked for.
pub(super) struct Background {
    pub(super) name: &'static str,
    run: Box<Run>,
}

impl Background {
    pub(super) fn new<F>(name: &'static str, run: impl Fn(BackgroundContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = BackgroundResult> + Send + 'static,
    {
        Self { name, run: Box::new(move |cx| Box::pin(run(cx))) }
    }

    /// Starts it on the application's runtime, with the server's client as the current one.
    pub(super) fn start(self, shared: &Arc<Shared>) -> JoinHandle<()> {
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let cx = || BackgroundContext { name: self.name, shared: Arc::clone(&shared) };
            let process = || shared.client.scope((self.run)(cx()));
            supervise(&shared, self.name, process).await;
        })
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The server's own, whose names are taken.
const OWN: [&str; 10] = [
    "cancellation",
    "completer",
    "counters",
    "delayed",
    "dispatcher",
    "expiry",
    "heartbeat",
    "recurring",
    "rescue",
    "worker",
];

/// What is wrong with the names of processes.
pub(super) fn check(processes: &[Background], problems: &mut Vec<String>) {
    for (at, Background { name, .. }) in processes.iter().enumerate() {
        if OWN.contains(name) {
            problems
                .push(format!("`.background(\"{name}\", …)`: a process of the server has this name; choose another"));
        } else if processes[..at].iter().any(|earlier| earlier.name == *name) {
            problems.push(format!("`.background(\"{name}\", …)` is there twice; give each process a name of its own"));
        }
    }
}
