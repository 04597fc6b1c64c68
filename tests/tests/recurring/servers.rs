//! Any number of servers, and storages that fail: each slot becomes one job.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use jobs_runtime::{
    Client, JobServer,
    clock::Timestamp,
    prelude::*,
    schedule::{Misfire, ScheduleOptions},
    state::StateName,
    storage::Storage,
};
use jobs_tests::{Faulty, World, on_each_storage};

use super::{SECOND, Schedules, Tell};

/// A server that makes jobs and runs none, so that what was made can be looked at.
async fn maker(storage: &Arc<dyn Storage>) -> JobServer {
    let server = JobServer::builder(storage.clone()).discover(false).register::<Tell>();
    server.queues(["idle"]).queues_elsewhere(["default"]).workers(1).start().await.expect("started")
}

fn strict() -> ScheduleOptions {
    ScheduleOptions::new().misfire(Misfire::Strict)
}

/// Asserts that the jobs of a schedule are those of all seconds after `start` and up to `end`, each once.
async fn assert_each_second_once(world: &World, id: &str, start: Timestamp, end: Timestamp) {
    let jobs = world.jobs_of(id).await;
    let slots: BTreeSet<Timestamp> =
        jobs.iter().map(|job| job.recurrence.as_ref().and_then(|made| made.slot).expect("a slot")).collect();
    assert_eq!(slots.len(), jobs.len(), "a slot was made twice");
    let seconds = (end - start).num_seconds();
    let expected: BTreeSet<Timestamp> = (1..=seconds).map(|second| start + TimeDelta::seconds(second)).collect();
    let missing: Vec<_> = expected.difference(&slots).collect();
    assert!(slots == expected, "missing: {missing:?}");
}

/// Runs until it is cancelled.
#[job]
async fn linger(token: CancellationToken) {
    token.cancelled().await;
}

on_each_storage! {
    /// It would not run their jobs, and the next server decides what is made up for.
    async fn a_server_that_shuts_down_makes_no_more_jobs(world: World) {
        let recurring = world.client.recurring();
        recurring.add_or_update("a", Tell::new("eu"), "@every_second", ScheduleOptions::new()).await.expect("added");
        let server = world.server().register::<Tell>().register::<Linger>().start().await.expect("started");
        world.followed("a").await;
        let lingering = Linger::enqueue().await.expect("enqueued");
        world.until(&lingering, StateName::Processing).await;
        let before = world.jobs_of("a").await.len();
        let shutdown = tokio::spawn(server.shutdown(SECOND));
        // Until the server has stopped claiming.
        tokio::time::sleep(SECOND / 4).await;
        world.clock.advance(SECOND * 30);
        shutdown.await.expect("a task").expect("shut down");
        assert_eq!(world.jobs_of("a").await.len(), before);
        let _next = world.server().register::<Tell>().register::<Linger>().start().await.expect("started");
        world.followed("a").await;
        assert_eq!(world.jobs_of("a").await.len(), before + 1, "one for all that was missed");
    }

    /// Elsewhere (apalis-cron #281, Hangfire #1852) two nodes enqueued every tick twice.
    async fn two_servers_make_each_slot_once(world: World) {
        let start = world.clock.now();
        world.clock.advance(SECOND / 2);
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@every_second", strict()).await.expect("added");
        world.clock.advance(SECOND / 2);
        let (_one, _other) = (maker(&world.storage).await, maker(&world.other).await);
        for step in 0..300 {
            world.clock.advance(SECOND * (step % 5));
            world.followed("a").await;
        }
        // The first slot is that of the second in which the schedule was made.
        let first = start - TimeDelta::seconds(1);
        assert_each_second_once(&world, "a", first, world.clock.now()).await;
    }

    /// A share of all calls fails, half of them after they were carried out.
    async fn a_bad_line_loses_and_doubles_no_slot(world: World) {
        let start = world.clock.now();
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@every_second", strict()).await.expect("added");
        let lines = [Faulty::new(world.storage.clone(), 7), Faulty::new(world.other.clone(), 11)];
        let mut servers = Vec::new();
        for line in &lines {
            servers.push(maker(&(line.clone() as Arc<dyn Storage>)).await);
            line.fail_percent(20);
        }
        for _ in 0..40 {
            world.clock.advance(SECOND * 3);
            tokio::time::sleep(SECOND / 50).await;
        }
        lines.iter().for_each(|line| line.fail_percent(0));
        world.followed("a").await;
        assert_each_second_once(&world, "a", start - TimeDelta::seconds(1), world.clock.now()).await;
    }

    /// And what was missed while nothing ran is made up for.
    async fn servers_that_come_and_go_lose_no_slot(world: World) {
        let start = world.clock.now();
        let client = Client::new(world.other.clone());
        client.recurring().add_or_update("a", Tell::new("eu"), "@every_second", strict()).await.expect("added");
        for _ in 0..12 {
            let server = maker(&world.storage).await;
            world.clock.advance(SECOND * 7);
            drop(server);
            world.clock.advance(SECOND * 5);
        }
        let _server = maker(&world.storage).await;
        world.followed("a").await;
        assert_each_second_once(&world, "a", start - TimeDelta::seconds(1), world.clock.now()).await;
    }
}

/// Ten thousand slots on one file, with two servers of which each has a connection of its own.
#[test]
fn two_servers_on_one_file_over_ten_thousand_slots() {
    jobs_tests::run(&jobs_tests::Sqlite, async |world: World| {
        let start = world.clock.now();
        let options = strict().max_missed(10_000);
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@every_second", options).await.expect("added");
        let (_one, _other) = (maker(&world.storage).await, maker(&world.other).await);
        // Some at a time and some alone, until ten thousand have come.
        for step in (1..=7).cycle() {
            if (world.clock.now() - start).num_seconds() >= 10_000 {
                break;
            }
            world.clock.advance(SECOND * step);
            world.followed("a").await;
        }
        assert_each_second_once(&world, "a", start - TimeDelta::seconds(1), world.clock.now()).await;
    });
}
