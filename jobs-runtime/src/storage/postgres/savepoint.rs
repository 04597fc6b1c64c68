//! Parts of the application's transactions.

use std::mem::ManuallyDrop;

use sqlx::{PgConnection, postgres::PgTransactionManager};
use sqlx_core::transaction::TransactionManager as _;

use super::connection::is_aborted;

/// Begins a part of the application's transaction. If it can't, or is dropped before its end, the transaction is as it was.
pub(super) async fn begin(connection: &mut PgConnection) -> sqlx::Result<()> {
    // Dropped before its end, it would roll back the whole transaction, and what the application writes next would be in
    // none. So it never is: a savepoint that nobody goes back to does no harm.
    let mut beginning = ManuallyDrop::new(Box::pin(PgTransactionManager::begin(connection, None)));
    let begun = beginning.as_mut().await;
    drop(ManuallyDrop::into_inner(beginning));
    if begun.as_ref().is_err_and(is_aborted) {
        abort_again(connection).await;
    }
    begun
}

/// One of the application's statements has failed, so its transaction can only be rolled back. To the driver a savepoint
/// that can't begin is the transaction's end: the application gets another one that can only be rolled back.
async fn abort_again(connection: &mut PgConnection) {
    if PgTransactionManager::begin(connection, None).await.is_ok() {
        // To fail is what it is for.
        let _ = sqlx::raw_sql("ROLLBACK TO SAVEPOINT jobs_of_nobody").execute(connection).await;
    }
}
