use std::{error::Error as StdError, sync::Arc, time::Duration};

/// What the verbs of a storage return.
pub type StorageResult<T> = Result<T, StorageError>;

/// A storage could not be opened, or could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The URL does not name a storage.
    #[error("`{url}` is not the URL of a storage: {reason}")]
    InvalidUrl {
        /// The URL, without secrets.
        url: String,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// The storage can't be opened.
    #[error("can't open storage `{storage}`: {reason}")]
    Open {
        /// The storage, without secrets.
        storage: String,
        /// What is wrong, and what to do.
        reason: String,
        /// What the driver said.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The tables were made by a later version of this library.
    #[error(
        "the tables in `{storage}` are of schema version {found}, this program knows {supported}: \
         run it with a later version of jobs-runtime, or give it another database or table prefix"
    )]
    SchemaTooNew {
        /// The storage, without secrets.
        storage: String,
        /// The version found.
        found: i64,
        /// The latest version that this program can use.
        supported: i64,
    },
    /// Something is in the tables that was not written by this library, or not whole.
    #[error("storage `{storage}` is damaged: {reason}")]
    Corrupt {
        /// The storage, without secrets.
        storage: String,
        /// What does not fit.
        reason: String,
    },
    /// The storage did not answer in time. What was asked may or may not have been done.
    ///
    /// A verb of a [`Storage`](super::Storage) may be asked again with the same values; its documentation says what
    /// the second answer is. A new [`Enqueue`](crate::client::Enqueue) has a new id, and so is another job, unless
    /// it is given [the same one](crate::client::Enqueue::id).
    #[error("storage `{storage}` did not answer `{operation}` within {limit:?}")]
    Timeout {
        /// The storage, without secrets.
        storage: String,
        /// The verb that was asked.
        operation: &'static str,
        /// The time limit.
        limit: Duration,
    },
    /// The storage failed. What was asked may or may not have been done; for asking again, see
    /// [`Timeout`](Self::Timeout).
    #[error("storage `{storage}` failed: {source}")]
    Failed {
        /// The storage, without secrets.
        storage: String,
        /// What the driver said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The storage refuses what it is to store, and would again: it is too large for the database, say. Nothing of it
    /// is stored.
    #[error("storage `{storage}` refuses what it is to store: {reason}")]
    Refused {
        /// The storage, without secrets.
        storage: String,
        /// Why, and what to do.
        reason: String,
        /// What the driver said.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The storage was closed by this program.
    #[error("storage `{storage}` is closed")]
    Closed {
        /// The storage, without secrets.
        storage: String,
    },
    /// A job should await another one that is not there (any more).
    #[error("can't await job `{parent}`: storage `{storage}` has no such job (any more)")]
    UnknownParent {
        /// The storage, without secrets.
        storage: String,
        /// The job to be awaited.
        parent: crate::job::JobId,
    },
    /// The storage takes part in no transactions but its own.
    #[error(
        "storage `{storage}` takes part in no transactions but its own; `.in_tx(…)` and `JobTx` need one in PostgreSQL, \
         MySQL or SQLite"
    )]
    NoTransactions {
        /// The storage, without secrets.
        storage: String,
    },
    /// A page was asked for with a cursor that this storage did not give.
    #[error(transparent)]
    InvalidCursor(#[from] super::InvalidCursor),
}

impl StorageError {
    /// A storage did not answer a verb in time.
    pub(crate) fn timeout(storage: String, operation: &'static str, limit: Duration) -> Self {
        Self::Timeout { storage, operation, limit }
    }

    /// The same error of `storage` again and again, one for each of those whom it concerns.
    pub(crate) fn copies(self, storage: &str) -> impl Iterator<Item = Self> {
        let mut copy: Box<dyn FnMut(String) -> Self> = match self {
            Self::Timeout { operation, limit, .. } => {
                Box::new(move |storage| Self::Timeout { storage, operation, limit })
            }
            Self::Closed { .. } => Box::new(|storage| Self::Closed { storage }),
            Self::Refused { reason, source, .. } => {
                let source: Option<Arc<dyn StdError + Send + Sync>> = source.map(Arc::from);
                Box::new(move |storage| {
                    let source = source.clone().map(|source| Box::new(source) as Box<dyn StdError + Send + Sync>);
                    Self::Refused { storage, reason: reason.clone(), source }
                })
            }
            Self::Failed { source, .. } => {
                let source: Arc<dyn StdError + Send + Sync> = Arc::from(source);
                Box::new(move |storage| Self::Failed { storage, source: Box::new(Arc::clone(&source)) })
            }
            other => {
                let source = Arc::new(other);
                Box::new(move |storage| Self::Failed { storage, source: Box::new(Arc::clone(&source)) })
            }
        };
        let storage = storage.to_owned();
        std::iter::repeat_with(move || copy(storage.clone()))
    }
}
