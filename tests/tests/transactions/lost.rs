//! Connections that are lost, where there is a server to which they lead.

use jobs_runtime::{
    prelude::*,
    state::StateName,
    storage::{JobFilter, PageRequest},
};

use super::{
    Db, end_connection, number_of_connection, own_schema,
    site::{Site, Table, run, write},
};
use crate::{TEN_SECONDS, wire::Wire};

#[job]
async fn noop() {}

/// Loses its connection in the first attempt.
#[job(retry(attempts = 2, fixed = "1ms"))]
async fn lose_the_connection(
    cx: JobContext,
    mut tx: JobTx<Db>,
    table: Data<Table>,
    pool: Data<sqlx::Pool<Db>>,
) -> anyhow::Result<u32> {
    let tx = tx.begin().await?;
    write(tx, &table, i64::from(cx.attempt())).await?;
    if cx.attempt() == 1 {
        end_connection(&pool, number_of_connection(tx).await).await;
    }
    Ok(cx.attempt())
}

#[job(retry(attempts = 0))]
async fn effect(mut tx: JobTx<Db>, table: Data<Table>, n: i64) -> anyhow::Result<()> {
    write(tx.begin().await?, &table, n).await?;
    Noop::enqueue().queue("elsewhere").in_tx(&mut tx).await?;
    Ok(())
}

#[test]
fn a_connection_lost_before_the_commit_leaves_nothing() {
    run(async |site| {
        let mut tx = site.begin().await;
        write(&mut tx, &site.table, 1).await.expect("written");
        let job = Noop::enqueue().in_tx(&mut tx).await.expect("stored");
        let number = number_of_connection(&mut tx).await;
        end_connection(&site.pool, number).await;
        tx.commit().await.expect_err("nobody is there");
        assert!(site.effects().await.is_empty());
        assert!(!site.is_there(&job).await);
        let error = {
            let mut tx = site.begin().await;
            let number = number_of_connection(&mut tx).await;
            end_connection(&site.pool, number).await;
            Noop::enqueue().in_tx(&mut tx).await.expect_err("nobody is there")
        };
        assert!(matches!(error, EnqueueError::Storage(_)), "{error}");
        // It was not tried on another connection.
        assert_eq!(site.world.storage.counts().await.expect("counted").unfinished(), 0);
    });
}

#[test]
fn a_handlers_connection_that_is_lost_fails_the_run() {
    run(async |site| {
        let pool = Data::new(site.pool.clone());
        let server = site.server().register::<LoseTheConnection>().shared_data(pool).start().await.expect("started");
        let job = LoseTheConnection::enqueue().await.expect("stored");
        site.world.until(&job, StateName::Scheduled).await;
        site.world.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(job.wait(TEN_SECONDS).await.expect("done"), 2);
        assert_eq!(site.effects().await, [2]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// The server has committed, and the one who asked it to can't know.
#[test]
fn a_reply_that_the_line_loses_makes_no_second_effect() {
    run(async |site| {
        let wire = Wire::new(&site.url).await;
        let storage = own_schema(&wire.url, &site.world.clock).await;
        let server = site.prepare(JobServer::builder(storage.clone()).discover(false)).register::<Effect>();
        let server = server.start().await.expect("started");
        for n in 0..3 {
            wire.lose_a_reply();
            let job = Effect::enqueue(n).await.expect("stored");
            site.world.until(&job, StateName::Succeeded).await;
            while !wire.has_lost_it() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        // With that all outcomes are recorded, or refused.
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        site.check_three().await;
        storage.close().await;
    });
}

impl Site {
    async fn check_three(&self) {
        assert_eq!(self.effects().await, [0, 1, 2]);
        let storage = &self.world.storage;
        let page = storage.jobs(&JobFilter::state(StateName::Succeeded), &PageRequest::first(10)).await.expect("read");
        for job in &page.jobs {
            let history = self.world.details(job.id).await.history;
            let states: Vec<StateName> = history.iter().map(|entry| entry.state).collect();
            assert_eq!(states, [StateName::Enqueued, StateName::Processing, StateName::Succeeded]);
        }
        let counts = storage.counts().await.expect("counted");
        assert_eq!((counts.of(StateName::Succeeded).value, counts.unfinished()), (3, 3));
        assert_eq!(storage.totals().await.expect("read").succeeded, 3);
    }
}
