//! Other connections go on while a transaction is open, on databases that lock rows.

use jobs_runtime::{prelude::*, state::StateName};

use super::{
    Db,
    site::{Table, run, write},
};
use crate::{Gate, TEN_SECONDS};

/// Writes, and then waits.
#[job(retry(attempts = 0))]
async fn write_and_wait(mut tx: JobTx<Db>, table: Data<Table>, gate: Data<Gate>, n: i64) -> anyhow::Result<()> {
    write(tx.begin().await?, &table, n).await?;
    gate.pass().await;
    Ok(())
}

#[job]
async fn plain(n: i64) -> i64 {
    n
}

/// Here underway's users waited: a handler ran inside the queue's own transaction.
#[test]
fn jobs_are_stored_run_and_moved_while_a_handlers_transaction_is_open() {
    run(async |site| {
        let client = &site.world.client;
        let server = site.server().register::<WriteAndWait>().register::<Plain>().start().await.expect("started");
        let deleted = WriteAndWait::enqueue(1).await.expect("stored");
        let requeued = WriteAndWait::enqueue(2).await.expect("stored");
        let kept = WriteAndWait::enqueue(3).await.expect("stored");
        site.gate.begun(3).await;
        for job in client.enqueue_all((0..20).map(Plain::new)).await.expect("stored") {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        let child = Plain::enqueue(4).after(&kept).await.expect("stored");
        client.delete(&deleted).await.expect("deleted");
        client.requeue(&requeued).await.expect("requeued");
        site.gate.begun(1).await;
        site.gate.open.add_permits(4);
        for job in [&requeued, &kept] {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        assert_eq!(child.wait(TEN_SECONDS).await.expect("released"), 4);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert_eq!(site.effects().await, [2, 3]);
        assert_eq!(site.world.details(&deleted).await.job.state, StateName::Deleted);
    });
}

/// Also new jobs, claims, outcomes and moves of single jobs; but for those of a job that is awaited in the transaction.
#[test]
fn jobs_are_stored_run_and_moved_while_the_applications_transaction_is_open() {
    run(async |site| {
        let client = &site.world.client;
        let server = site.server().register::<WriteAndWait>().register::<Plain>().start().await.expect("started");
        let running = WriteAndWait::enqueue(1).await.expect("stored");
        site.gate.begun(1).await;
        let done = Plain::enqueue(0).await.expect("stored");
        done.wait(TEN_SECONDS).await.expect("done");
        let waiting = Plain::enqueue(0).queue("elsewhere").await.expect("stored");

        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 7).await.expect("written");
        let own = client.enqueue_all_in(&mut tx, (10..30).map(Plain::new)).await.expect("stored");
        let mut children = Vec::new();
        for parent in [running.id(), done.id(), own[0].id(), waiting.id()] {
            children.push(Plain::enqueue(8).after(parent).in_tx(&mut tx).await.expect("stored"));
        }

        for job in client.enqueue_all((0..20).map(Plain::new)).await.expect("stored") {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        let parent = Plain::enqueue(0).await.expect("stored");
        let child = Plain::enqueue(9).after(&parent).await.expect("stored");
        assert_eq!(child.wait(TEN_SECONDS).await.expect("released"), 9);
        let moved = WriteAndWait::enqueue(2).await.expect("stored");
        site.gate.begun(1).await;
        client.requeue(&moved).await.expect("requeued");
        site.gate.begun(1).await;
        client.delete(&moved).await.expect("deleted");

        tx.commit().await.expect("committed");
        site.gate.open.add_permits(3);
        for child in &children[..3] {
            assert_eq!(child.wait(TEN_SECONDS).await.expect("released"), 8);
        }
        assert_eq!(site.world.details(&children[3]).await.job.state, StateName::Awaiting);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert_eq!(site.effects().await, [1, 7]);
    });
}
