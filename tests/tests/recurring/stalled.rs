//! Schedules of which a server can make no jobs, and others that go on.

use jobs_runtime::{
    JobServer,
    job::Invocation,
    prelude::*,
    schedule::{ScheduleId, ScheduleOptions},
    storage::{ScheduleContent, ScheduleWrite},
};
use jobs_tests::{Faulty, World, on_each_storage};

use super::{HOUR, SECOND, Schedules, Tell, new_progress, put, server};

/// A schedule as a later version may have written it.
async fn write_strange(world: &World, id: &str, definition: &str) {
    let now = world.clock.now();
    put(world, id, definition, &new_progress(now), Some(now)).await;
}

/// Lets a server try again and again, until the schedule is shown as in error.
async fn error_of(world: &World, id: &str) -> String {
    for _ in 0..200 {
        let schedule = world.client.recurring().get(id).await.expect("read").expect("there");
        if let Some(fault) = schedule.error().filter(|fault| fault.message.starts_with("server ")) {
            return fault.message;
        }
        world.clock.advance(SECOND * 10);
        tokio::time::sleep(SECOND / 20).await;
    }
    panic!("{id} is not shown as in error");
}

/// Lets a server try again, until the schedule is followed.
async fn recovered(world: &World, id: &str) {
    for _ in 0..200 {
        world.clock.advance(SECOND * 60);
        tokio::time::sleep(SECOND / 20).await;
        let schedule = world.client.recurring().get(id).await.expect("read").expect("there");
        if schedule.error().is_none() && schedule.last_run().is_some() {
            return;
        }
    }
    panic!("{id} does not recover");
}

on_each_storage! {
    /// Elsewhere (Hangfire #1533 #2155 #2469) a server that didn't know a job disabled its schedule.
    async fn a_server_leaves_schedules_of_unknown_jobs_to_others(world: World) {
        world.clock.advance(SECOND);
        let recurring = world.client.recurring();
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", ScheduleOptions::new()).await.expect("added");
        let ignorant = world.server().start().await.expect("started");
        world.clock.advance(HOUR);
        tokio::time::sleep(SECOND / 5).await;
        let schedule = recurring.get("a").await.expect("read").expect("there");
        assert!(schedule.next_run() < Some(world.clock.now()) && schedule.error().is_none() && world.jobs_of("a").await.is_empty());
        let _knowing = server(&world).await;
        world.followed("a").await;
        assert_eq!(world.jobs_of("a").await.len(), 1);
        world.clock.advance(HOUR);
        world.followed("a").await;
        assert_eq!(world.jobs_of("a").await.len(), 2);
        ignorant.shutdown(SECOND).await.expect("shut down");
    }

    async fn a_schedule_that_nobody_can_follow_is_shown_in_error_and_recovers(world: World) {
        world.clock.advance(SECOND);
        let recurring = world.client.recurring();
        let call = Invocation::new(JobName::new("jobs_tests", "tell"), &serde_json::json!({ "region": "eu" })).expect("JSON");
        recurring.add_or_update("a", call, "@hourly", ScheduleOptions::new()).await.expect("added");
        let ignorant = world.server().start().await.expect("started");
        world.clock.advance(HOUR);
        let error = error_of(&world, "a").await;
        let expected = "it has no handler for job `jobs_tests.tell`; no other server has made its job either";
        assert_eq!(error, format!("server {}: {expected}", ignorant.id()));
        let _knowing = server(&world).await;
        recovered(&world, "a").await;
    }

    /// Each with its reason; the schedules beside them run.
    async fn what_a_later_version_wrote_is_in_error_and_all_others_go_on(world: World) {
        let plain = r#""type":"jobs_tests","method":"tell","arguments":{"region":"eu"},"queue":"default""#;
        for (id, definition, reason) in [
            ("cron", format!(r#"{{{plain},"cron":"0 0 * * FULLMOON","tz":"UTC"}}"#), "`FULLMOON` in the field `Days of week`"),
            ("tz", format!(r#"{{{plain},"cron":"@hourly","tz":"Mars/Olympus"}}"#), "`Mars/Olympus` is not a time zone"),
            ("option", format!(r#"{{{plain},"cron":"@hourly","tz":"UTC","jitter":"5m"}}"#), "its option `jitter` is not known to this version"),
            ("misfire", format!(r#"{{{plain},"cron":"@hourly","tz":"UTC","misfire":"lenient"}}"#), "`lenient` of its option `misfire` is not known"),
            ("few", format!(r#"{{{plain},"cron":"@hourly","tz":"UTC","misfire":"strict","max_missed":0}}"#), "`0` of its option `max_missed` is out of range"),
            ("many", format!(r#"{{{plain},"cron":"@hourly","tz":"UTC","misfire":"strict","max_missed":10001}}"#), "`10001` of its option `max_missed`"),
            ("json", r#"{"of":"another shape"}"#.to_owned(), "missing field"),
            ("text", "no JSON".to_owned(), "expected"),
        ] {
            write_strange(&world, id, &definition).await;
            let schedule = world.client.recurring().get(id).await.expect("read").expect("there");
            let fault = schedule.error().expect("in error at once, for who looks");
            assert!(fault.message.contains(reason), "{id}: {}", fault.message);
            assert_eq!(schedule.stored_definition(), definition);
        }
        let recurring = world.client.recurring();
        recurring.add_or_update("zzz", Tell::new("eu"), "@hourly", ScheduleOptions::new()).await.expect("added");
        let _server = server(&world).await;
        world.followed("zzz").await;
        assert_eq!(world.jobs_of("zzz").await.len(), 1);
        let error = error_of(&world, "cron").await;
        assert!(error.contains("`FULLMOON` in the field `Days of week` of `0 0 * * FULLMOON`"), "{error}");
        // What can't be read at all is told too, as far as there is a place for it.
        let error = error_of(&world, "text").await;
        assert!(error.contains("it can't be read: expected"), "{error}");
        assert!(world.client.recurring().pause("text").await.expect_err("unreadable").to_string().contains("no JSON"));
        // Whoever mends it brings it back to life; and what can't be read can be removed.
        for id in ["cron", "json"] {
            recurring.add_or_update(id, Tell::new("eu"), "@every_minute", ScheduleOptions::new()).await.expect("mended");
            recovered(&world, id).await;
        }
        assert!(recurring.remove("text").await.expect("removed"));
    }

    /// More than a page of them.
    async fn many_that_cannot_be_followed_do_not_hide_the_others(world: World) {
        let content = ScheduleContent {
            next_run: Some(world.clock.now()),
            definition: "no JSON".to_owned(),
            progress: new_progress(world.clock.now()),
        };
        let write = |number: usize| ScheduleWrite {
            id: ScheduleId::new(format!("a{number:04}")).expect("an id"),
            found: None,
            content: Some(content.clone()),
            jobs: Vec::new(),
        };
        world.storage.write_schedules((0..1_200).map(write).collect()).await.expect("written");
        let recurring = world.client.recurring();
        recurring.add_or_update("b", Tell::new("eu"), "@hourly", ScheduleOptions::new()).await.expect("added");
        let _server = server(&world).await;
        world.followed("b").await;
        world.clock.advance(HOUR);
        world.followed("b").await;
        assert_eq!(world.jobs_of("b").await.len(), 2);
    }

    /// Though it is due at the same time as before, and was tried in vain so often that the next try is far.
    async fn a_schedule_that_was_mended_is_tried_at_once(world: World) {
        let recurring = world.client.recurring();
        let call = Invocation::new(JobName::new("nowhere", "gone"), &()).expect("JSON");
        recurring.add_or_update("a", call, "@hourly", ScheduleOptions::new()).await.expect("added");
        let _server = server(&world).await;
        error_of(&world, "a").await;
        for _ in 0..8 {
            world.clock.advance(SECOND * 61);
            tokio::time::sleep(SECOND / 50).await;
        }
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", ScheduleOptions::new()).await.expect("mended");
        world.followed("a").await;
        assert_eq!(world.jobs_of("a").await.len(), 1);
    }

    /// Else a storage that fails now and then would keep it from ever being told.
    async fn tries_are_counted_on_when_the_storage_fails_in_between(world: World) {
        let call = Invocation::new(JobName::new("nowhere", "gone"), &()).expect("JSON");
        world.client.recurring().add_or_update("a", call, "@hourly", ScheduleOptions::new()).await.expect("added");
        let line = Faulty::new(world.storage.clone(), 1);
        let server = JobServer::builder(line.clone()).discover(false).register::<Tell>().start().await.expect("started");
        let failing = || server.health().processes.get("recurring").is_some_and(|process| process.failing);
        for _ in 0..5 {
            world.clock.advance(SECOND * 61);
            tokio::time::sleep(SECOND / 20).await;
            line.set_down(true);
            while !failing() {
                world.clock.advance(SECOND * 61);
                tokio::time::sleep(SECOND / 100).await;
            }
            line.set_down(false);
            while failing() {
                tokio::time::sleep(SECOND / 100).await;
            }
        }
        world.clock.advance(SECOND * 61);
        tokio::time::sleep(SECOND / 20).await;
        let error = world.client.recurring().get("a").await.expect("read").expect("there").error().expect("told");
        assert!(error.message.contains("it has no handler for job `nowhere.gone`"), "{}", error.message);
    }
}
