//! Transactions that are not a storage's own: the application's, and those in which handlers write.

use std::{any::Any, fmt, sync::Arc};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use tokio::runtime::Handle;

use super::{Storage, StorageResult};

/// A transaction of the application's, in which jobs can be stored: `&mut sqlx::Transaction` of sqlx 0.9, with PostgreSQL,
/// MySQL or SQLite, if the feature of jobs-runtime for that database is on; and [`JobTx`](super::JobTx).
///
/// [`Enqueue::in_tx`](crate::client::Enqueue::in_tx) and
/// [`Client::enqueue_all_in`](crate::client::Client::enqueue_all_in) take it. It is not for other types to implement.
#[diagnostic::on_unimplemented(
    message = "jobs can't be stored in a `{Self}`",
    label = "not a transaction in which jobs can be stored",
    note = "pass `&mut transaction`, where it is a `sqlx::Transaction` of sqlx 0.9 with PostgreSQL, MySQL or SQLite",
    note = "the feature `postgres`, `mysql` or `sqlite` of jobs-runtime must be on for that database"
)]
pub trait AppTransaction: sealed::Sealed + Send {
    /// The connection that is in the transaction.
    #[doc(hidden)]
    fn ongoing(&mut self) -> impl Future<Output = StorageResult<OngoingTransaction<'_>>> + Send;

    /// The name of the database.
    #[doc(hidden)]
    fn database(&self) -> &'static str;
}

pub(crate) mod sealed {
    /// Implemented in this crate only.
    pub trait Sealed {}
}

impl<T: AppTransaction> sealed::Sealed for &mut T {}

#[diagnostic::do_not_recommend]
impl<T: AppTransaction> AppTransaction for &mut T {
    async fn ongoing(&mut self) -> StorageResult<OngoingTransaction<'_>> {
        (**self).ongoing().await
    }

    fn database(&self) -> &'static str {
        (**self).database()
    }
}

/// A connection in a transaction of the application's, whatever the database: what
/// [`Storage::enqueue_in`](Storage::enqueue_in) is given.
///
/// Only the storages of this crate can look into it. A storage that wraps another one hands it on.
pub struct OngoingTransaction<'t> {
    database: &'static str,
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
        expect(dead_code, reason = "without a database nobody looks into it")
    )]
    connection: &'t mut (dyn Any + Send),
}

impl<'t> OngoingTransaction<'t> {
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn new<C: Any + Send>(database: &'static str, connection: &'t mut C) -> Self {
        Self { database, connection }
    }

    /// The connection, if it is of this type.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn connection<C: Any>(self) -> Option<&'t mut C> {
        self.connection.downcast_mut()
    }

    /// The name of the database, such as `PostgreSQL`.
    #[must_use]
    pub fn database(&self) -> &'static str {
        self.database
    }
}

impl fmt::Debug for OngoingTransaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OngoingTransaction").field("database", &self.database).finish_non_exhaustive()
    }
}

/// A transaction that a storage has begun for a handler, whatever the database: what
/// [`Storage::begin_transaction`](Storage::begin_transaction) returns, and
/// [`Storage::finish_in`](Storage::finish_in) takes. It is rolled back when it is dropped.
///
/// Only the storages of this crate can make one. A storage that wraps another one hands it on.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "without a database nobody makes one")
)]
pub struct JobTransaction {
    transaction: Option<Box<dyn Any + Send>>,
    /// What is let go of when the transaction has ended.
    held: Option<Box<dyn Any + Send>>,
    /// How it is rolled back, if not by being dropped.
    roll_back: Option<RollBack>,
    /// Where its connection goes when it is dropped, perhaps by a thread that has no runtime.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    home: Handle,
}

/// Rolls back a transaction of whatever type.
type RollBack = Box<dyn FnOnce(Box<dyn Any + Send>) + Send>;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
impl JobTransaction {
    pub(crate) fn new<T: Any + Send>(transaction: T, home: Handle) -> Self {
        Self { transaction: Some(Box::new(transaction)), held: None, roll_back: None, home }
    }

    /// The same, with something that is let go of when the transaction has ended.
    pub(crate) fn holding(mut self, held: impl Any + Send) -> Self {
        self.held = Some(Box::new(held));
        self
    }

    /// The same, which is rolled back by `roll_back` if there is one; it is called on the runtime of the storage.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn rolled_back_by<T: Any + Send>(mut self, roll_back: Option<fn(T)>) -> Self {
        self.roll_back = roll_back.map(|roll_back| -> RollBack {
            Box::new(move |transaction| {
                if let Ok(transaction) = transaction.downcast() {
                    roll_back(*transaction);
                }
            })
        });
        self
    }

    /// The transaction, if it is of this type.
    pub(crate) fn get_mut<T: Any>(&mut self) -> Option<&mut T> {
        self.transaction.as_mut()?.downcast_mut()
    }

    /// The transaction, if it is of this type; and what is to be let go of after it.
    pub(crate) fn into_parts<T: Any>(mut self) -> Option<(T, Option<Box<dyn Any + Send>>)> {
        if !self.transaction.as_ref()?.is::<T>() {
            return None;
        }
        let transaction = self.transaction.take()?.downcast().ok()?;
        Some((*transaction, self.held.take()))
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
impl Drop for JobTransaction {
    fn drop(&mut self) {
        // The driver rolls back in a task of the runtime that it finds.
        let _home = self.home.enter();
        match (self.transaction.take(), self.roll_back.take()) {
            (Some(transaction), Some(roll_back)) => roll_back(transaction),
            (transaction, _) => drop(transaction),
        }
        drop(self.held.take());
    }
}

impl fmt::Debug for JobTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobTransaction")
    }
}

/// The storage of the server that runs a job, as its handler finds it in the server's data.
pub(crate) struct RunStorage(pub(crate) Arc<dyn Storage>);
