//! What was stored wrongly is put right when someone says what is to be.

use jobs_runtime::{
    client::Defined,
    job::Invocation,
    prelude::*,
    schedule::{Misfire, ScheduleOptions},
};
use jobs_tests::{World, on_each_storage};
use serde::Serialize;

use super::{HOUR, SECOND, Schedules, Tell, put, server};

/// Replaces how far a schedule has come.
async fn overwrite_progress(world: &World, id: &str, progress: &str) {
    let found = world.storage.schedule(&id.parse().expect("an id")).await.expect("read").expect("there");
    put(world, id, &found.definition, progress, found.next_run).await;
}

async fn hourly(world: &World) -> Defined {
    let options = ScheduleOptions::new().misfire(Misfire::Strict);
    world.client.recurring().add_or_update("a", Tell::new("eu"), "@hourly", options).await.expect("defined")
}

#[derive(Serialize)]
struct There {
    region: &'static str,
    days: u32,
}

#[derive(Serialize)]
struct Back {
    days: u32,
    region: &'static str,
}

on_each_storage! {
    /// Who defines it says what is to be; it is not "unchanged" while nothing comes of it.
    async fn a_schedule_whose_progress_cannot_be_read_begins_anew(world: World) {
        let recurring = world.client.recurring();
        let found = async || recurring.get("a").await.expect("read").expect("there");
        hourly(&world).await;
        overwrite_progress(&world, "a", r#"{"created_at":"2030-01-01T00:00:00Z","base":17}"#).await;
        assert!(found().await.error().is_some());
        world.clock.advance(HOUR * 3 + HOUR / 2);
        assert_eq!(hourly(&world).await, Defined::Updated);
        assert_eq!((found().await.error(), found().await.next_run()), (None, Some(world.clock.now() + HOUR / 2)));
        let _server = server(&world).await;
        world.clock.advance(HOUR / 2);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["04:00:00"]);
        recurring.pause("a").await.expect("paused");
        overwrite_progress(&world, "a", r#"{"base":17,"paused":true}"#).await;
        assert_eq!(hourly(&world).await, Defined::Updated);
        assert_eq!((found().await.is_paused(), found().await.next_run()), (true, None));
        recurring.resume("a").await.expect("resumed");
        assert!(found().await.next_run().is_some());
    }

    async fn a_schedule_that_a_clock_has_put_years_ahead_begins_anew(world: World) {
        world.clock.advance(SECOND);
        hourly(&world).await;
        let _server = server(&world).await;
        let right = world.clock.now();
        world.clock.advance(HOUR * 24 * 365 * 6);
        world.followed("a").await;
        world.clock.set(right);
        world.clock.advance(HOUR * 2);
        assert_eq!(hourly(&world).await, Defined::Updated);
        assert_eq!(hourly(&world).await, Defined::Unchanged);
        let before = world.jobs_of("a").await.len();
        world.clock.advance(HOUR);
        world.followed("a").await;
        let slots = world.slots_of("a").await;
        assert_eq!((slots.len(), slots[0].as_str()), (before + 1, "03:00:00"), "and none of the past");
    }

    async fn arguments_in_another_order_are_no_change(world: World) {
        let recurring = world.client.recurring();
        let name = JobName::new("elsewhere", "work");
        let there = Invocation::new(name.clone(), &There { region: "eu", days: 7 }).expect("JSON");
        let back = Invocation::new(name.clone(), &Back { days: 7, region: "eu" }).expect("JSON");
        let other = Invocation::new(name, &Back { days: 8, region: "eu" }).expect("JSON");
        assert_ne!(there.arguments(), back.arguments());
        for (call, expected) in [(there, Defined::Added), (back, Defined::Unchanged), (other, Defined::Updated)] {
            let defined = recurring.add_or_update("a", call, "@hourly", ScheduleOptions::new()).await;
            assert_eq!(defined.expect("defined"), expected);
        }
    }

    /// Nobody fails to make jobs of a schedule that is not due.
    async fn a_pause_clears_the_error(world: World) {
        hourly(&world).await;
        let now = world.clock.now().to_rfc3339();
        let progress = format!(r#"{{"created_at":"{now}","base":"{now}","error":{{"message":"no handler","since":"{now}"}}}}"#);
        overwrite_progress(&world, "a", &progress).await;
        let recurring = world.client.recurring();
        assert!(recurring.get("a").await.expect("read").expect("there").error().is_some());
        recurring.pause("a").await.expect("paused");
        assert_eq!(recurring.get("a").await.expect("read").expect("there").error(), None);
    }

    /// Also while missed ones are still to be made up for, or it is paused.
    async fn the_next_runs_are_slots_that_lie_ahead(world: World) {
        world.clock.advance(SECOND);
        hourly(&world).await;
        let recurring = world.client.recurring();
        let shown = async || {
            let runs = recurring.next_runs("a", 2).await.expect("runs");
            runs.iter().map(|run| run.format("%H:%M:%S").to_string()).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, ["01:00:00", "02:00:00"]);
        world.clock.advance(HOUR * 3 + SECOND * 1799);
        assert_eq!(shown().await, ["04:00:00", "05:00:00"]);
        recurring.pause("a").await.expect("paused");
        world.clock.advance(HOUR);
        assert_eq!(shown().await, ["05:00:00", "06:00:00"]);
        recurring.resume("a").await.expect("resumed");
        world.clock.advance(HOUR / 2);
        assert_eq!(shown().await, ["05:00:00", "06:00:00"], "the one of this second is not done with");
        let _server = server(&world).await;
        world.followed("a").await;
        assert_eq!(shown().await, ["06:00:00", "07:00:00"]);
    }
}
