//! PostgreSQL without `LISTEN`: nobody tells a process when a transaction is committed.

use jobs_runtime::prelude::*;

use super::{Db, own_schema, site::run};
use crate::TEN_SECONDS;

/// Stores another job in its transaction.
#[job]
async fn pass_on(mut tx: JobTx<Db>, n: i64) -> anyhow::Result<()> {
    if n > 0 {
        PassOn::enqueue(n - 1).in_tx(tx.begin().await?).await?;
    }
    Ok(())
}

/// It has committed them itself.
#[test]
fn jobs_of_a_handlers_transaction_are_run_at_once_by_their_own_process() {
    run(async |site| {
        let storage = own_schema(&format!("{}&listen=false", site.url), &site.world.clock).await;
        let server = site.prepare(JobServer::builder(storage.clone()).discover(false)).workers(4);
        let server = server.register::<PassOn>().start().await.expect("started");
        PassOn::enqueue(5).with(&Client::new(storage.clone())).await.expect("stored");
        site.until_succeeded(6).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        storage.close().await;
    });
}
