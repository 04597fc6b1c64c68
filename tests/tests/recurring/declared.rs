//! Schedules that stand in the source, and what becomes of them when they no longer do.

use jobs_runtime::{
    JobServer,
    client::Schedule,
    prelude::*,
    schedule::ScheduleOptions,
    server::StartError,
    state::StateName,
    storage::{ScheduleContent, ScheduleWrite},
};
use jobs_tests::{Faulty, World, on_each_storage};

use super::{HOUR, SECOND, Schedules, Tell, new_progress, put};

#[recurring(cron = "0 9 * * MON-FRI", tz = "Asia/Shanghai", id = "digest:cn", args(region = "cn", days = 7))]
#[job(queue = "mail")]
#[recurring(cron = "@hourly", id = "digest:eu", queue = "other", misfire = "strict", args(region = "eu", days = 1))]
async fn digest(region: String, days: u32) -> String {
    format!("{region} {days}")
}

#[job]
#[recurring(cron = Cron::never())]
async fn by_hand() {}

struct Shop {
    name: String,
}

#[jobs]
impl Shop {
    #[job]
    #[recurring(cron = "@hourly", args(number = 42))]
    async fn count(&self, number: u32) -> String {
        format!("{} {number}", self.name)
    }
}

#[job]
#[recurring(cron = "@daily", id = "same")]
async fn first() {}

#[job]
#[recurring(cron = "@daily", id = "same")]
async fn second() {}

#[job]
#[recurring(cron = "@daily", args(text = "x".repeat(1_100_000)))]
async fn read(text: String) {
    drop(text);
}

async fn schedule(world: &World, id: &str) -> Option<Schedule> {
    world.client.recurring().get(id).await.expect("read")
}

/// Stores a schedule as `package` had declared it earlier.
async fn declared_once(world: &World, id: &str, package: &str) {
    let definition = format!(
        r#"{{"type":"jobs_tests","method":"by_hand","arguments":null,"cron":"@daily","tz":"UTC","queue":"default","package":"{package}"}}"#
    );
    put(world, id, &definition, &new_progress(world.clock.now()), None).await;
}

on_each_storage! {
    async fn a_server_stores_the_schedules_of_its_jobs(world: World) {
        let server = world.server().register::<Digest>().register::<ByHand>().start().await.expect("started");
        let list = world.client.recurring().list().await.expect("listed");
        let ids: Vec<&str> = list.iter().map(|schedule| schedule.id().as_str()).collect();
        assert_eq!(ids, ["digest:cn", "digest:eu", "jobs_tests.by_hand"]);
        let definitions: Vec<_> = list.iter().map(|schedule| schedule.definition().expect("readable")).collect();
        assert_eq!(definitions[0].arguments, r#"{"region":"cn","days":7}"#);
        assert_eq!((definitions[0].queue.as_str(), definitions[0].tz.as_str()), ("mail", "Asia/Shanghai"));
        assert_eq!((definitions[1].queue.as_str(), definitions[1].misfire.as_str()), ("other", "strict"));
        assert_eq!(definitions[2].package.as_deref(), Some("jobs_tests"));
        assert_eq!(list[2].next_run(), None);
        // And takes from the queues that they name, without being told.
        world.followed("digest:eu").await;
        let job = world.jobs_of("digest:eu").await.pop().expect("a job");
        assert_eq!(world.until(job.id, StateName::Succeeded).await.result.as_deref(), Some(r#""eu 1""#));
        server.shutdown(SECOND).await.expect("shut down");
    }

    async fn a_method_recurs_on_the_servers_instance(world: World) {
        let shop = Shop { name: "the shop".to_owned() };
        let _server = world.server().data(shop).register::<Count>().start().await.expect("started");
        world.followed("jobs_tests::Shop.count").await;
        let job = world.jobs_of("jobs_tests::Shop.count").await.pop().expect("a job");
        assert_eq!(world.until(job.id, StateName::Succeeded).await.result.as_deref(), Some(r#""the shop 42""#));
    }

    /// However often servers start.
    async fn what_is_stored_already_is_not_written(world: World) {
        world.clock.advance(SECOND);
        let versions = async || {
            let found = world.storage.schedules(None, 10).await.expect("read");
            found.iter().map(|schedule| schedule.version).collect::<Vec<_>>()
        };
        let build = || world.server().register::<Digest>();
        let one = build().start().await.expect("started");
        let before = versions().await;
        let others = [build().start().await.expect("started"), build().start().await.expect("started")];
        assert_eq!(versions().await, before);
        drop((one, others));
    }

    async fn servers_that_start_at_once_store_each_schedule_once(world: World) {
        world.clock.advance(SECOND);
        let servers = (0..4).map(|_| {
            let server = world.server().register::<Digest>().register::<ByHand>();
            tokio::spawn(async move { server.start().await.expect("started") })
        });
        let mut started = Vec::new();
        for server in servers.collect::<Vec<_>>() {
            started.push(server.await.expect("a task"));
        }
        assert_eq!(world.client.recurring().list().await.expect("listed").len(), 3);
    }

    async fn what_the_source_says_goes_before_what_was_said_at_run_time_but_a_pause_stays(world: World) {
        world.clock.advance(SECOND);
        drop(world.server().register::<Digest>().start().await.expect("started"));
        let recurring = world.client.recurring();
        recurring.add_or_update("digest:eu", Tell::new("x"), "@daily", ScheduleOptions::new()).await.expect("changed");
        recurring.pause("digest:eu").await.expect("paused");
        drop(world.server().register::<Digest>().start().await.expect("started"));
        let found = schedule(&world, "digest:eu").await.expect("there");
        assert_eq!(found.definition().expect("readable").cron, "@hourly");
        assert!(found.is_paused());
    }

    /// Those of other packages, and those added at run time, are none of its business.
    async fn what_stands_in_the_source_no_longer_is_marked(world: World) {
        declared_once(&world, "gone", "jobs_tests").await;
        declared_once(&world, "foreign", "another_app").await;
        let recurring = world.client.recurring();
        recurring.add_or_update("dynamic", Tell::new("x"), Cron::never(), ScheduleOptions::new()).await.expect("added");
        drop(world.server().register::<ByHand>().start().await.expect("started"));
        for (id, orphaned) in [("gone", true), ("foreign", false), ("dynamic", false), ("jobs_tests.by_hand", false)] {
            assert_eq!(schedule(&world, id).await.expect("there").is_orphaned(), orphaned, "{id}");
        }
        recurring.trigger("gone").await.expect("it goes on");
        // A definition at run time makes it one that isn't expected in the source.
        recurring.add_or_update("gone", Tell::new("x"), Cron::never(), ScheduleOptions::new()).await.expect("changed");
        drop(world.server().register::<ByHand>().start().await.expect("started"));
        assert!(!schedule(&world, "gone").await.expect("there").is_orphaned());
    }

    async fn what_stands_in_the_source_no_longer_is_removed_if_asked_for(world: World) {
        declared_once(&world, "gone", "jobs_tests").await;
        declared_once(&world, "foreign", "another_app").await;
        let server = world.server().register::<ByHand>().remove_orphaned_schedules(true);
        drop(server.start().await.expect("started"));
        let list = world.client.recurring().list().await.expect("listed");
        assert_eq!(list.iter().map(|found| found.id().as_str()).collect::<Vec<_>>(), ["foreign", "jobs_tests.by_hand"]);
    }

    /// Another server of the program has it; that is how a program is split into servers.
    async fn a_server_that_lacks_a_job_leaves_its_schedules_alone(world: World) {
        drop(world.server().register::<Digest>().register::<ByHand>().start().await.expect("started"));
        let ids = async || {
            let list = world.client.recurring().list().await.expect("listed");
            list.into_iter().map(|found| (found.id().to_string(), found.is_orphaned())).collect::<Vec<_>>()
        };
        let before = ids().await;
        assert_eq!(before.len(), 3);
        drop(world.server().register::<ByHand>().start().await.expect("started"));
        assert_eq!(ids().await, before);
        drop(world.server().register::<ByHand>().remove_orphaned_schedules(true).start().await.expect("started"));
        assert_eq!(ids().await, before);
    }

    /// Someone may trigger it just then; that it stands in the source no longer is seen all the same.
    async fn what_changes_while_a_server_starts_is_looked_at_again(world: World) {
        let line = Faulty::new(world.storage.clone(), 1);
        for remove in [false, true] {
            declared_once(&world, "gone", "jobs_tests").await;
            let id = "gone".parse().expect("an id");
            let found = world.storage.schedule(&id).await.expect("read").expect("there");
            let content = ScheduleContent { next_run: None, definition: found.definition, progress: found.progress };
            let write = ScheduleWrite { id, found: Some(found.version), content: Some(content), jobs: Vec::new() };
            line.be_faster_with(vec![write]);
            let server = JobServer::builder(line.clone()).discover(false).register::<ByHand>();
            drop(server.remove_orphaned_schedules(remove).start().await.expect("started"));
            assert_eq!(schedule(&world, "gone").await.map(|found| found.is_orphaned()), (!remove).then_some(true));
            assert!(schedule(&world, "jobs_tests.by_hand").await.is_some());
        }
    }

    /// Of any schedule, also of those that were added at run time.
    async fn what_a_clock_has_put_years_ahead_counts_from_now_when_a_server_starts(world: World) {
        world.clock.advance(SECOND);
        let recurring = world.client.recurring();
        recurring.add_or_update("dynamic", Tell::new("x"), "@hourly", ScheduleOptions::new()).await.expect("added");
        declared_once(&world, "gone", "jobs_tests").await;
        let server = || world.server().register::<Digest>().register::<Tell>();
        let first = server().start().await.expect("started");
        let right = world.clock.now();
        world.clock.advance(HOUR * 24 * 365 * 6);
        let ids = ["digest:cn", "digest:eu", "dynamic"];
        for id in ids {
            world.followed(id).await;
        }
        first.shutdown(SECOND).await.expect("shut down");
        world.clock.set(right);
        world.clock.advance(HOUR * 2);
        let _second = server().start().await.expect("started");
        for id in ids {
            let next = schedule(&world, id).await.expect("there").next_run().expect("due some time");
            assert!(next > world.clock.now() && next < world.clock.now() + HOUR * 24 * 4, "{id}: {next}");
        }
        let before = world.jobs_of("dynamic").await.len();
        world.clock.advance(HOUR);
        world.followed("dynamic").await;
        assert_eq!(world.jobs_of("dynamic").await.len(), before + 1);
    }

    /// It may run what other servers make of them.
    async fn a_server_that_follows_no_schedules_takes_from_their_queues(world: World) {
        world.clock.advance(SECOND);
        let follows = world.server().register::<Digest>().queues(["idle"]).queues_elsewhere(["default", "mail", "other"]);
        let _follows = follows.start().await.expect("started");
        let _runs = world.server().register::<Digest>().follow_schedules(false).start().await.expect("started");
        world.clock.advance(HOUR);
        world.followed("digest:eu").await;
        let job = world.jobs_of("digest:eu").await.pop().expect("a job");
        world.until(job.id, StateName::Succeeded).await;
    }

    async fn schedules_are_checked_also_where_they_are_not_followed(world: World) {
        let server = world.server().register::<First>().register::<Second>().follow_schedules(false);
        let error = server.start().await.expect_err("refused").to_string();
        assert!(error.contains("two schedules have the id `same`"), "{error}");
    }

    async fn arguments_that_are_too_long_are_told_at_the_start(world: World) {
        let error = world.server().register::<Read>().start().await.expect_err("refused").to_string();
        assert!(error.contains("`#[recurring]` at tests/tests/recurring/declared.rs:"), "{error}");
        assert!(error.contains("its arguments are 1100011 bytes of JSON, more than the limit of 1048576"), "{error}");
    }

    async fn a_server_that_follows_no_schedules_leaves_them_alone(world: World) {
        let recurring = world.client.recurring();
        recurring.add_or_update("a", Tell::new("x"), "@hourly", ScheduleOptions::new()).await.expect("added");
        let server = world.server().register::<Digest>().register::<Tell>().follow_schedules(false);
        let _server = server.start().await.expect("started");
        world.clock.advance(HOUR);
        tokio::time::sleep(SECOND / 5).await;
        assert_eq!(recurring.list().await.expect("listed").len(), 1);
        assert!(world.jobs_of("a").await.is_empty());
    }

    /// All at once, each with its place in the source.
    async fn wrong_schedules_are_told_at_the_start(world: World) {
        let server = world.server().register::<First>().register::<Second>().register::<Digest>();
        let error = server.queues(["default", "mail"]).start().await.expect_err("refused");
        assert!(matches!(error, StartError::Problems(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("two schedules have the id `same`: one at tests/tests/recurring/declared.rs:"), "{text}");
        assert!(text.contains("schedule `digest:eu` (tests/tests/recurring/declared.rs:"), "{text}");
        assert!(text.contains("uses queue `other`, which this server does not serve"), "{text}");
        assert!(world.client.recurring().list().await.expect("listed").is_empty(), "nothing is stored");
    }
}
