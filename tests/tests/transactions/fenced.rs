//! A handler whose job is no longer its own leaves nothing.

use std::time::Duration;

use jobs_runtime::{
    clock::after,
    prelude::*,
    state::StateName,
    storage::{Rescue, Rescued},
};

use super::{
    Db,
    site::{Site, Table, run, write},
};
use crate::{Gate, TEN_SECONDS};

/// Waits, and then writes.
#[job(retry(attempts = 0))]
async fn wait_and_write(mut tx: JobTx<Db>, table: Data<Table>, gate: Data<Gate>, n: i64) -> anyhow::Result<()> {
    gate.pass().await;
    write(tx.begin().await?, &table, n).await?;
    Follow::enqueue().queue("elsewhere").in_tx(&mut tx).await?;
    Ok(())
}

#[job]
async fn follow() {}

#[test]
fn a_job_deleted_while_it_runs_leaves_nothing() {
    run(async |site| {
        let server = site.server().register::<WaitAndWrite>().start().await.expect("started");
        let job = WaitAndWrite::enqueue(1).await.expect("stored");
        site.gate.begun(1).await;
        site.world.client.delete(&job).await.expect("deleted");
        site.gate.open.add_permits(1);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert_eq!(site.world.details(&job).await.job.state, StateName::Deleted);
        site.check(0).await;
    });
}

#[test]
fn a_job_requeued_while_it_runs_leaves_what_its_second_run_writes() {
    run(async |site| {
        let server = site.server().register::<WaitAndWrite>().start().await.expect("started");
        let job = WaitAndWrite::enqueue(1).await.expect("stored");
        site.gate.begun(1).await;
        site.world.client.requeue(&job).await.expect("requeued");
        site.gate.begun(1).await;
        site.gate.open.add_permits(2);
        job.wait(TEN_SECONDS).await.expect("done");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert_eq!(site.world.times(&job, StateName::Processing).await, 2);
        site.check(1).await;
    });
}

/// Elsewhere (graphile_worker, River) a worker that was frozen past its time ended what another one ran.
#[test]
fn a_frozen_server_leaves_nothing_of_a_job_that_was_taken_from_it() {
    run(async |site| {
        let server = site.server().register::<WaitAndWrite>().start().await.expect("started");
        let job = WaitAndWrite::enqueue(1).await.expect("stored");
        site.gate.begun(1).await;
        // To the others it looks as if it had not beaten for an hour.
        let silent_since = after(site.world.clock.now(), Duration::from_secs(3600));
        let rescue = Rescue { silent_since, max_lost: 3, limit: 10 };
        let rescued = site.world.other.rescue(rescue).await.expect("rescued");
        assert!(matches!(&rescued[..], [Rescued { job: id, to: StateName::Enqueued, .. }] if *id == job.id()));
        let second = site.other_server().register::<WaitAndWrite>().start().await.expect("started");
        site.gate.begun(1).await;
        site.gate.open.add_permits(2);
        job.wait(TEN_SECONDS).await.expect("done");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        second.shutdown(TEN_SECONDS).await.expect("shut down");
        let details = site.world.details(&job).await;
        assert_eq!((details.job.attempts, details.lost), (2, 1));
        site.check(1).await;
    });
}

impl Site {
    /// So many runs have left something: each a row, a job and a success.
    async fn check(&self, runs: usize) {
        assert_eq!(self.effects().await, vec![1; runs]);
        let counts = self.world.storage.counts().await.expect("counted");
        let (waiting, succeeded) = (counts.of(StateName::Enqueued).value, counts.of(StateName::Succeeded).value);
        assert_eq!((waiting, succeeded), (runs as u64, runs as u64));
    }
}
