//! Locks that are held across processes and machines.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::Client;
use crate::{
    job::JobId,
    storage::{LockRequest, Storage, StorageError, StorageResult},
};

/// The longest time between two tries to take a lock.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The longest name of a lock.
const MAX_LEN: usize = 200;

impl Client {
    /// Takes the lock of this name, which at most one has at a time, of all processes that use the storage; waits for it for
    /// at most `timeout`. Zero is one try.
    ///
    /// The lock is let go when the returned [`Lock`] is dropped, better still by [`release`](Lock::release). Its process says
    /// every 10 s that it lives, on a thread of its own, so that code which hogs all others can't lose it the lock; if it was
    /// not heard of for 30 s, because it died, say, others may have the lock. Who can't tell the storage that it lives learns
    /// that it has [lost](Lock::lost) the lock. [`with_lock_lease`](Self::with_lock_lease) sets other times.
    ///
    /// Who waits asks again and again, at least twice a second, and the order of those who wait is left to chance.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jobs_runtime::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> anyhow::Result<()> {
    /// let client = Client::new(jobs_runtime::storage::connect("memory:").await?);
    /// let lock = client.lock("import:acme", Duration::from_secs(5)).await?;
    /// assert!(client.lock("import:acme", Duration::ZERO).await.is_err());
    /// lock.release().await?;
    /// client.lock("import:acme", Duration::ZERO).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`LockError::InvalidName`] if the name is empty, longer than 200 bytes, or has control characters or blanks at an end;
    /// [`LockError::Timeout`] if another one had it all the time; [`LockError::Storage`] if the storage failed.
    pub async fn lock(&self, name: impl Into<String>, timeout: Duration) -> Result<Lock, LockError> {
        let name = check_name(name.into())?;
        let owner = JobId::generate(self.storage().clock().now()).to_string();
        let request = LockRequest { name, owner, lease: self.lock_lease() };
        let (began, mut pause) = (Instant::now(), Duration::from_millis(10));
        loop {
            // The storage counts from later on, so the lock is held at least as long as is thought here.
            let asked = Instant::now();
            if self.storage().lock(request.clone()).await? {
                return Ok(Lock::held(Arc::clone(self.storage()), request, asked));
            }
            let left = timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(LockError::Timeout { name: request.name, timeout });
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0).min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn check_name(name: String) -> Result<String, LockError> {
    let is_plain = !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
    if is_plain && name.len() <= MAX_LEN { Ok(name) } else { Err(LockError::InvalidName { name }) }
}

/// A lock that is held, see [`Client::lock`].
#[must_use = "the lock is let go when this is dropped"]
pub struct Lock {
    storage: Arc<dyn Storage>,
    request: LockRequest,
    lost: CancellationToken,
    renewal: JoinHandle<()>,
    is_released: bool,
}

impl Lock {
    fn held(storage: Arc<dyn Storage>, request: LockRequest, since: Instant) -> Self {
        let lost = CancellationToken::new();
        let thread = renewals().cloned().unwrap_or_else(Handle::current);
        let renewal = thread.spawn(renew(Arc::clone(&storage), request.clone(), since, lost.clone()));
        Self { storage, request, lost, renewal, is_released: false }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.request.name
    }

    /// Cancelled when the lock is no longer held, because the storage could not be told in time that its holder lives.
    /// Work that must not be done by two at a time has to stop then.
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Lets the lock go, and returns whether it was held to the end.
    ///
    /// # Errors
    ///
    /// If the storage fails; then the lock is free when its lease is over, after 30 s by default.
    pub async fn release(mut self) -> StorageResult<bool> {
        self.is_released = true;
        let was_lost = self.lost.is_cancelled();
        self.renewal.abort();
        Ok(self.storage.unlock(&self.request.name, &self.request.owner).await? && !was_lost)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
        if self.is_released {
            return;
        }
        // Without a runtime it is free when its time is over.
        if let Ok(runtime) = Handle::try_current() {
            let (storage, request) = (Arc::clone(&self.storage), self.request.clone());
            runtime.spawn(async move {
                if let Err(error) = storage.unlock(&request.name, &request.owner).await {
                    tracing::warn!(lock = request.name, %error, "a lock could not be let go; it is free when its lease is over");
                }
            });
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("name", &self.request.name).finish_non_exhaustive()
    }
}

/// The thread on which locks are renewed; none if it can't be started.
fn renewals() -> Option<&'static Handle> {
    static RENEWALS: OnceLock<Option<Handle>> = OnceLock::new();
    let start = || {
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(std::future::pending::<()>());
        thread::Builder::new().name("jobs-locks".to_owned()).spawn(run).ok()?;
        Some(handle)
    };
    RENEWALS.get_or_init(start).as_ref()
}

/// Says again and again that the holder lives, until the lock is lost.
async fn renew(storage: Arc<dyn Storage>, request: LockRequest, since: Instant, lost: CancellationToken) {
    let _lost = lost.drop_guard();
    let mut since = since;
    loop {
        tokio::time::sleep_until(since + request.lease / 3).await;
        let end = since + request.lease;
        let renewed = tokio::time::timeout_at(end, renew_once(&storage, &request)).await;
        match renewed {
            Ok(Some(asked)) => since = asked,
            // Another one has it, or may have it from now on.
            Ok(None) | Err(_) => return,
        }
    }
}

/// Tries until the storage answers; returns when it was asked, or `None` if the lock is another one's.
async fn renew_once(storage: &Arc<dyn Storage>, request: &LockRequest) -> Option<Instant> {
    loop {
        let asked = Instant::now();
        match storage.lock(request.clone()).await {
            Ok(is_held) => return is_held.then_some(asked),
            Err(_) => tokio::time::sleep(LONGEST_PAUSE).await,
        }
    }
}

/// A lock can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Not a name that a lock can have.
    #[error(
        "`{}` is not a name for a lock: it has 1 to 200 bytes, no control characters, and no blanks at its ends",
        name.escape_debug()
    )]
    InvalidName {
        /// The text.
        name: String,
    },
    /// Another one has it.
    #[error("lock `{name}` was held by another one for all of {timeout:?}")]
    Timeout {
        /// Its name.
        name: String,
        /// How long it was waited for.
        timeout: Duration,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
