//! The application's transactions, in which jobs can be stored.

use sqlx::Transaction;

use crate::storage::{AppTransaction, OngoingTransaction, StorageResult, sealed::Sealed};

/// A database whose transactions [`in_tx`](crate::client::Enqueue::in_tx) and [`JobTx`](super::JobTx) work with:
/// `sqlx::Postgres`, `sqlx::MySql` and `sqlx::Sqlite`, if the feature of jobs-runtime for it is on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no database that jobs can have transactions of",
    label = "not `sqlx::Postgres`, `sqlx::MySql` or `sqlx::Sqlite`",
    note = "it must be that of sqlx 0.9, and the feature `postgres`, `mysql` or `sqlite` of jobs-runtime must be on"
)]
pub trait TransactionDatabase: sqlx::Database<Connection: 'static> + Sealed {}

#[cfg(feature = "postgres")]
impl Sealed for sqlx::Postgres {}
#[cfg(feature = "postgres")]
impl TransactionDatabase for sqlx::Postgres {}

#[cfg(feature = "mysql")]
impl Sealed for sqlx::MySql {}
#[cfg(feature = "mysql")]
impl TransactionDatabase for sqlx::MySql {}

#[cfg(feature = "sqlite")]
impl Sealed for sqlx::Sqlite {}
#[cfg(feature = "sqlite")]
impl TransactionDatabase for sqlx::Sqlite {}

#[diagnostic::do_not_recommend]
impl<DB: TransactionDatabase> Sealed for Transaction<'_, DB> {}

#[diagnostic::do_not_recommend]
impl<DB: TransactionDatabase> AppTransaction for Transaction<'_, DB> {
    async fn ongoing(&mut self) -> StorageResult<OngoingTransaction<'_>> {
        Ok(OngoingTransaction::new(DB::NAME, &mut **self))
    }

    fn database(&self) -> &'static str {
        DB::NAME
    }
}
