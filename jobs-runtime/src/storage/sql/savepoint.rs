use sqlx_core::transaction::TransactionManager as _;

use super::TransactionDatabase;

/// A part of a transaction that is someone else's: what is written in it is taken back unless it is [kept](Self::keep).
///
/// That holds for an error, and for a future that is dropped: then the connection takes it back before it does anything
/// else, a commit included.
pub(crate) struct Savepoint<'c, DB: TransactionDatabase> {
    connection: &'c mut DB::Connection,
    is_kept: bool,
}

impl<'c, DB: TransactionDatabase> Savepoint<'c, DB> {
    /// The part that has [begun](begin_savepoint) on this connection.
    pub(crate) fn begun(connection: &'c mut DB::Connection) -> Self {
        Self { connection, is_kept: false }
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.connection
    }

    /// Makes what was written a part of the transaction.
    pub(crate) async fn keep(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::commit(self.connection).await?;
        self.is_kept = true;
        Ok(())
    }
}

impl<DB: TransactionDatabase> Drop for Savepoint<'_, DB> {
    fn drop(&mut self) {
        if !self.is_kept {
            DB::TransactionManager::start_rollback(self.connection);
        }
    }
}

/// Begins such a part. It is not done by `begin` of the connection: were that dropped before its end, it would roll back
/// the whole transaction, and what its owner writes next would be in none.
pub(crate) async fn begin_savepoint<DB: TransactionDatabase>(connection: &mut DB::Connection) -> sqlx::Result<()> {
    DB::TransactionManager::begin(connection, None).await
}
