//! What a handler's statements leave behind a pooler.
//!
//! The driver prepares each of the handler's statements under a name that is new on this connection to the pooler. Behind
//! it another one may have prepared it, on the server's connection that the pooler gives next. So nothing that is prepared
//! outlives the handler's transaction.

use std::time::Duration;

use sqlx::{Postgres, Transaction};

/// What others have left is taken away too: an application that uses the pooler for other things, say.
pub(super) const BEGIN_JOB: &str = "BEGIN; DEALLOCATE ALL; SAVEPOINT jobs_run";
pub(super) const RELEASE_JOB: &str = "RELEASE SAVEPOINT jobs_run; DEALLOCATE ALL";

/// Both in one message, which the pooler does not part. A transaction that has failed could not deallocate.
const ROLL_BACK: &str = "ROLLBACK; DEALLOCATE ALL";

/// How long that may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Rolls back a handler's transaction.
pub(super) fn roll_back(mut transaction: Transaction<'static, Postgres>) {
    tokio::spawn(async move {
        // If it fails, the transaction is rolled back when it is dropped.
        let _ = tokio::time::timeout(LIMIT, sqlx::raw_sql(ROLL_BACK).execute(&mut *transaction)).await;
    });
}
