//! Slots that come while earlier jobs of their schedule have not ended.

use jobs_runtime::{
    JobServer,
    schedule::{Misfire, Overlap, ScheduleOptions},
    state::StateName,
};
use jobs_tests::{Faulty, World, on_each_storage};

use super::{HOUR, SECOND, Schedules, Tell, server};

/// Jobs that wait in a queue which nobody serves, one at a time.
fn skip() -> ScheduleOptions {
    ScheduleOptions::new().overlap(Overlap::Skip).queue("idle")
}

async fn add(world: &World, id: &str, options: ScheduleOptions) {
    world.client.recurring().add_or_update(id, Tell::new("eu"), "@hourly", options).await.expect("added");
}

on_each_storage! {
    async fn a_slot_is_skipped_while_the_last_job_has_not_ended(world: World) {
        let recurring = world.client.recurring();
        add(&world, "relaxed", skip()).await;
        add(&world, "strict", skip().misfire(Misfire::Strict)).await;
        add(&world, "overlap", ScheduleOptions::new().queue("idle")).await;
        let server = server(&world).await;
        let ids = ["relaxed", "strict", "overlap"];
        for _ in 0..3 {
            for id in ids {
                world.followed(id).await;
            }
            world.clock.advance(HOUR);
        }
        for id in ids {
            world.followed(id).await;
        }
        for id in ["relaxed", "strict"] {
            assert_eq!(world.slots_of(id).await, ["00:00:00"], "its job waits in a queue that nobody serves");
            let schedule = recurring.get(id).await.expect("read").expect("there");
            assert_eq!(schedule.last_skipped(), Some(world.clock.now()));
        }
        assert_eq!(world.jobs_of("overlap").await.len(), 4, "allowed by default");
        for id in ["relaxed", "strict"] {
            world.client.delete(world.jobs_of(id).await[0].id).await.expect("deleted");
        }
        server.shutdown(SECOND).await.expect("shut down");
        world.clock.advance(HOUR * 3);
        let _server = self::server(&world).await;
        for id in ["relaxed", "strict"] {
            world.followed(id).await;
        }
        assert_eq!(world.slots_of("relaxed").await, ["00:00:00", "06:00:00"]);
        assert_eq!(world.slots_of("strict").await, ["00:00:00", "04:00:00"], "the others come while the first has not ended");
        assert_eq!(world.details(world.jobs_of("strict").await[0].id).await.job.state, StateName::Deleted);
    }

    /// That the one made last has ended says nothing of those before it.
    async fn a_slot_is_skipped_while_any_earlier_job_has_not_ended(world: World) {
        world.clock.advance(SECOND);
        add(&world, "a", skip()).await;
        let _server = server(&world).await;
        world.clock.advance(HOUR - SECOND);
        world.followed("a").await;
        let triggered = world.client.recurring().trigger("a").await.expect("never skipped");
        world.client.delete(&triggered).await.expect("deleted");
        world.clock.advance(HOUR);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["-", "01:00:00"], "the job of the first slot waits");
        let first = world.jobs_of("a").await.pop().expect("a job");
        world.client.delete(first.id).await.expect("deleted");
        world.clock.advance(HOUR);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["-", "01:00:00", "03:00:00"]);
    }

    async fn a_job_that_was_triggered_by_hand_holds_slots_back_too(world: World) {
        world.clock.advance(SECOND);
        add(&world, "a", skip()).await;
        let recurring = world.client.recurring();
        let jobs = [recurring.trigger("a").await.expect("triggered"), recurring.trigger("a").await.expect("triggered")];
        let _server = server(&world).await;
        world.clock.advance(HOUR - SECOND);
        for job in jobs {
            world.followed("a").await;
            let schedule = recurring.get("a").await.expect("read").expect("there");
            assert_eq!(schedule.last_skipped(), Some(world.clock.now()));
            world.client.delete(&job).await.expect("deleted");
            world.clock.advance(HOUR);
        }
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["-", "-", "03:00:00"]);
    }

    /// They wait until it can be told again, and tell why.
    async fn schedules_whose_jobs_cannot_be_asked_for_hold_up_no_others(world: World) {
        world.clock.advance(SECOND);
        add(&world, "skip", skip()).await;
        add(&world, "other", ScheduleOptions::new().queue("idle")).await;
        let line = Faulty::new(world.storage.clone(), 1);
        let _server = JobServer::builder(line.clone()).discover(false).register::<Tell>().start().await.expect("started");
        world.clock.advance(HOUR);
        world.followed("skip").await;
        world.client.delete(world.jobs_of("skip").await[0].id).await.expect("deleted");
        line.hide_states(true);
        world.clock.advance(HOUR);
        world.followed("other").await;
        let recurring = world.client.recurring();
        let skipping = async || recurring.get("skip").await.expect("read").expect("there");
        while skipping().await.error().is_none() {
            world.clock.advance(SECOND);
            tokio::time::sleep(SECOND / 50).await;
        }
        let message = skipping().await.error().expect("an error").message;
        assert!(message.contains("whether its earlier jobs have ended can't be told: "), "{message}");
        assert!(message.contains("the line is bad"), "{message}");
        assert_eq!((world.jobs_of("skip").await.len(), world.jobs_of("other").await.len()), (1, 2));
        line.hide_states(false);
        while skipping().await.error().is_some() {
            world.clock.advance(SECOND * 10);
            tokio::time::sleep(SECOND / 50).await;
        }
        assert_eq!(world.jobs_of("skip").await.len(), 2);
    }
}
