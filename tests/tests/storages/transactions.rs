//! Transactions that stay open: other people's, and the storage's own.

use std::time::Duration;

use jobs_runtime::{prelude::*, state::StateName};
use jobs_tests::{Engine, Place, PrivateServer, Sql, on_each_private_server, work::Work};
use tokio::sync::Semaphore;

use super::processes::until_done;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// Runs until it gets a permit.
#[job]
async fn gated(gate: Data<Semaphore>) -> Result<(), String> {
    gate.acquire().await.map(|permit| permit.forget()).map_err(|error| error.to_string())
}

on_each_private_server! {
    // Elsewhere (Brandur, River #59, Solid Queue #508) one transaction that stayed open kept all dead rows, and claims
    // drowned in them.
    async fn a_long_transaction_does_not_stop_the_work(server: PrivateServer) {
        const JOBS: u64 = 5_000;
        let place = server.place();
        let storage = place.open().await;
        let client = Client::new(storage.clone());
        client.enqueue_all((0..1_000).map(Work::new)).await.expect("stored");
        let seen = format!("SELECT count(*) FROM {}", place.table("ready"));
        let mut long = place.sql().await;
        long.run(match place.engine {
            Engine::MySql => "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        }).await;
        assert_eq!(long.number(&seen).await, 1_000);
        let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().workers(10);
        let server = server.start().await.expect("started");
        for n in 1..JOBS / 1_000 {
            client.enqueue_all((0..1_000).map(Work::new)).await.expect("stored");
            until_done(&storage).await;
            println!("after {} jobs", (n + 1) * 1_000);
        }
        assert_eq!(storage.totals().await.expect("read").succeeded, JOBS);
        assert_eq!(long.number(&seen).await, 1_000, "the transaction has not seen anything of it");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (underway) a handler ran within the transaction that held its job.
    async fn no_transaction_is_open_while_handlers_run(server: PrivateServer) {
        let place = server.place();
        let storage = place.open().await;
        let gate = Data::new(Semaphore::new(0));
        let server = JobServer::builder(storage.clone()).discover(false).register::<Gated>().workers(5);
        let server = server.shared_data(gate.clone()).start().await.expect("started");
        let jobs = Client::new(storage.clone()).enqueue_all([(); 5].map(|()| Gated::new())).await.expect("stored");
        while storage.counts().await.expect("counted").of(StateName::Processing).value < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut sql = place.sql().await;
        // Such as are short come and go: the server beats, and looks for work.
        let seen = open_transactions(&place, &mut sql).await;
        until_gone(&place, &mut sql, seen).await;
        assert_eq!(storage.counts().await.expect("counted").of(StateName::Processing).value, 5, "they still run");
        gate.add_permits(5);
        for job in &jobs {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        // It sees such as stay.
        let mut open = place.theirs().await;
        open.run(match place.engine {
            Engine::MySql => "START TRANSACTION; SELECT * FROM jobs_job FOR UPDATE",
            Engine::Postgres => "BEGIN; SELECT * FROM jobs.job FOR UPDATE",
        }).await;
        while open_transactions(&place, &mut sql).await.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
        drop(open);
    }
}

/// MySQL tells what it told before, unless it was not asked for a tenth of a second.
const LOOK: Duration = Duration::from_millis(200);

/// The transactions of the storage that are open, each by what tells it from all others.
async fn open_transactions(place: &Place, sql: &mut Sql) -> Vec<String> {
    let theirs = place.is_connected();
    let query = match place.engine {
        Engine::MySql => {
            "SELECT CONCAT(trx_id, ' of ', trx_started) FROM information_schema.innodb_trx
             INNER JOIN information_schema.processlist ON id = trx_mysql_thread_id
             WHERE id <> CONNECTION_ID() AND"
        }
        Engine::Postgres => "SELECT pid || ' of ' || xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL AND",
    };
    sql.texts(&format!("{query} {theirs}")).await
}

/// Waits until none of these transactions is open any more.
async fn until_gone(place: &Place, sql: &mut Sql, mut seen: Vec<String>) {
    let began = std::time::Instant::now();
    while !seen.is_empty() {
        assert!(began.elapsed() < TEN_SECONDS, "they stay open: {seen:#?}");
        tokio::time::sleep(LOOK).await;
        let now = open_transactions(place, sql).await;
        seen.retain(|transaction| now.contains(transaction));
    }
}
