//! The application's transaction on MySQL, which is REPEATABLE READ by default: what it reads is old, and what it locks is
//! locked with the gaps around it.

use jobs_runtime::{
    prelude::*,
    state::StateName,
    storage::{Claim, ServerId},
};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use super::site::{Site, run};
use crate::TEN_SECONDS;

#[job]
async fn plain(n: i64) -> i64 {
    n
}

/// Whoever waits for a row would wait until the application commits.
#[test]
fn it_locks_no_rows_of_others_and_no_gaps() {
    run(async |site| {
        let client = &site.world.client;
        let server = site.server().register::<Plain>().start().await.expect("started");
        let done = client.enqueue_all((0..6).map(Plain::new)).await.expect("stored");
        for job in &done {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        let running = client.enqueue_all((0..6).map(Plain::new)).await.expect("stored");
        let claim = Claim {
            server: ServerId::new("worker"),
            queues: ["default".try_into().expect("a queue")].into(),
            limit: 6,
        };
        assert_eq!(site.world.storage.claim(claim).await.expect("claimed").len(), 6);
        let waiting = client.enqueue_all((0..6).map(Plain::new)).await.expect("stored");

        for size in [1, 4, 20] {
            let mut tx = site.begin().await;
            // From now on it reads what is there now.
            let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM effects").fetch_one(&mut *tx).await.expect("read");
            let parents = [done[2].id(), running[2].id(), waiting[2].id()];
            client.enqueue_all_in(&mut tx, (0..size).map(Plain::new)).await.expect("stored");
            for parent in parents {
                Plain::enqueue(1).after(parent).in_tx(&mut tx).await.expect("stored");
            }
            let free = async |table: &str| site.count(table, "FOR UPDATE SKIP LOCKED").await;
            assert_eq!(free("jobs_job").await, 18 - 3, "the parents are locked");
            assert_eq!((free("jobs_processing").await, free("jobs_ready").await), (6 - 1, 6 - 1));
            assert_eq!(free("jobs_succeeded").await, 6);
            site.insert_everywhere().await;
            tx.rollback().await.expect("rolled back");
        }
        assert_eq!(site.count("jobs_processing", "").await + site.count("jobs_ready", "").await, 12, "nothing is left");
    });
}

/// A snapshot of the time before the job was stored, claimed and done would not show it at all.
#[test]
fn it_awaits_jobs_as_they_are_and_not_as_they_were() {
    run(async |site| {
        let server = site.server().register::<Plain>().start().await.expect("started");
        let waiting = Plain::enqueue(1).queue("elsewhere").await.expect("stored");
        let mut tx = site.begin().await;
        let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs_job").fetch_one(&mut *tx).await.expect("read");
        let done = Plain::enqueue(2).await.expect("stored");
        done.wait(TEN_SECONDS).await.expect("done");
        site.world.client.delete(&waiting).await.expect("deleted");
        let after_done = Plain::enqueue(3).after(&done).in_tx(&mut tx).await.expect("stored");
        let after_deleted = Plain::enqueue(4).after(&waiting).in_tx(&mut tx).await.expect("stored");
        tx.commit().await.expect("committed");
        assert_eq!(after_done.wait(TEN_SECONDS).await.expect("released"), 3);
        assert_eq!(site.world.details(&after_deleted).await.job.state, StateName::Deleted);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    });
}

/// A newer ticket was there before, and nobody who looks for the newest sees this one.
#[test]
fn a_commit_that_others_have_overtaken_wakes_who_waits() {
    for own in [true, false] {
        run(async |site| {
            let server = if own { site.server() } else { site.other_server() };
            let server = server.register::<Plain>().start().await.expect("started");
            for n in 0..2 {
                let mut tx = site.begin().await;
                let late = Plain::enqueue(n).in_tx(&mut tx).await.expect("stored");
                for client in [&site.world.client, &Client::new(site.world.other.clone())] {
                    let newer = Plain::enqueue(7).with(client).await.expect("stored");
                    newer.wait(TEN_SECONDS).await.expect("done");
                }
                // Longer than the time between two looks for the newest ticket.
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                tx.commit().await.expect("committed");
                assert_eq!(late.wait(TEN_SECONDS).await.expect("done"), n);
            }
            server.shutdown(TEN_SECONDS).await.expect("shut down");
        });
    }
}

impl Site {
    async fn count(&self, table: &str, lock: &str) -> usize {
        let mut connection = MySqlConnection::connect(&self.url).await.expect("connected");
        let select = AssertSqlSafe(format!("SELECT 1 FROM {table} {lock}"));
        sqlx::query(select).fetch_all(&mut connection).await.expect("read").len()
    }

    /// Writes a first and a last row into each table, and takes them back.
    async fn insert_everywhere(&self) {
        let mut connection = MySqlConnection::connect(&self.url).await.expect("connected");
        let wait = "SET SESSION innodb_lock_wait_timeout = 1";
        sqlx::raw_sql(wait).execute(&mut connection).await.expect("set");
        for (id, seq) in [("00000000000000000000000000000000", "0"), ("ffffffffffffffffffffffffffffffff", "1 << 60")] {
            for insert in [
                format!(
                    "INSERT INTO jobs_job (id, type, method, arguments, queue, priority, created_at, state, state_at, place,
                                           spent, lost, entered)
                     VALUES (0x{id}, '', '', '', '', 0, 0, '', 0, 0, 0, 0, 0)"
                ),
                format!("INSERT INTO jobs_processing (job, token, server, at, awaited) VALUES (0x{id}, 0, '', 0, false)"),
                format!(
                    "INSERT INTO jobs_succeeded (job, token, server, claimed_at, at, duration, result, expires_at)
                     VALUES (0x{id}, 0, '', 0, 0, 0, '', 0)"
                ),
                format!("INSERT INTO jobs_awaiting (job, parent) VALUES (0x{id}, 0x{id})"),
                format!("INSERT INTO jobs_scheduled (job, at) VALUES (0x{id}, {seq})"),
                format!(
                    "INSERT INTO jobs_ready (queue, `rank`, seq, job, awaited)
                     VALUES ('default', 0, {seq}, 0x{id}, false)"
                ),
            ] {
                let mut tx = connection.begin().await.expect("begun");
                let inserted = sqlx::raw_sql(AssertSqlSafe(insert.clone())).execute(&mut *tx).await;
                assert!(inserted.is_ok(), "{insert}: {inserted:?}");
                tx.rollback().await.expect("rolled back");
            }
        }
    }
}
