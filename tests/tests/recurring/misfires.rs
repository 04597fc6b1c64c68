//! Hangfire's cases: which slots become jobs, when and how often.

use jobs_runtime::schedule::{Cron, Misfire, ScheduleOptions};
use jobs_tests::on_each_storage;

use super::{HOUR, SECOND, Schedules, Tell, server};

const ALL: [Misfire; 3] = [Misfire::Relaxed, Misfire::Strict, Misfire::Ignorable];

fn options(misfire: Misfire) -> ScheduleOptions {
    ScheduleOptions::new().misfire(misfire)
}

on_each_storage! {
    /// The base of a new schedule is a second before it was made, so that a slot exactly then is its first.
    async fn a_slot_exactly_at_creation_runs_once_in_every_mode(world: World) {
        let _server = server(&world).await;
        for misfire in ALL {
            let id = misfire.as_str();
            world.client.recurring().add_or_update(id, Tell::new("eu"), "@hourly", options(misfire)).await.expect("added");
            world.followed(id).await;
            assert_eq!(world.slots_of(id).await, ["00:00:00"], "{id}");
        }
    }

    async fn a_slot_exactly_now_runs_once_in_every_mode(world: World) {
        world.clock.advance(SECOND * 90);
        for misfire in ALL {
            let id = misfire.as_str();
            world.client.recurring().add_or_update(id, Tell::new("eu"), "@hourly", options(misfire)).await.expect("added");
        }
        let servers = [server(&world).await, server(&world).await];
        world.clock.advance(HOUR - SECOND * 90);
        for misfire in ALL {
            world.followed(misfire.as_str()).await;
        }
        for (server, misfire) in servers.into_iter().zip(ALL) {
            server.shutdown(SECOND).await.expect("shut down");
            let _another = self::server(&world).await;
            assert_eq!(world.slots_of(misfire.as_str()).await, ["01:00:00"], "{misfire:?}");
        }
    }

    /// However many were missed.
    async fn relaxed_makes_one_job_whose_slot_is_now(world: World) {
        world.clock.advance(SECOND);
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@hourly", ScheduleOptions::new()).await.expect("added");
        world.clock.advance(HOUR * 5 + SECOND * 1799);
        let _server = server(&world).await;
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["05:30:00"]);
        let schedule = world.client.recurring().get("a").await.expect("read").expect("there");
        assert_eq!(schedule.next_run(), Some(world.clock.now() + HOUR / 2));
        world.clock.advance(HOUR / 2);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["05:30:00", "06:00:00"]);
    }

    /// Elsewhere (Hangfire #1591) 300 missed runs came at once where one was wanted; here only who asks for it gets it.
    async fn strict_makes_a_job_of_each_missed_slot(world: World) {
        world.clock.advance(SECOND);
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@hourly", options(Misfire::Strict)).await.expect("added");
        world.clock.advance(HOUR * 3 + SECOND * 1799);
        let _server = server(&world).await;
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["01:00:00", "02:00:00", "03:00:00"]);
        world.clock.advance(HOUR / 2);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["01:00:00", "02:00:00", "03:00:00", "04:00:00"]);
    }

    async fn strict_drops_the_earliest_of_too_many_and_shows_it(world: World) {
        world.clock.advance(SECOND);
        let strict = || options(Misfire::Strict);
        let recurring = world.client.recurring();
        recurring.add_or_update("three", Tell::new("eu"), "@hourly", strict().max_missed(3)).await.expect("added");
        recurring.add_or_update("default", Tell::new("eu"), "@every_minute", strict()).await.expect("added");
        world.clock.advance(HOUR * 30);
        let _server = server(&world).await;
        world.followed("three").await;
        world.followed("default").await;
        assert_eq!(world.slots_of("three").await, ["04:00:00", "05:00:00", "06:00:00"]);
        assert_eq!(world.jobs_of("default").await.len(), 1_000);
        let dropped = recurring.get("three").await.expect("read").expect("there").dropped().expect("told");
        let times = [dropped.first, dropped.until].map(|at| at.format("%d. %H:%M").to_string());
        assert_eq!(times, ["01. 01:00", "02. 04:00"]);
        assert_eq!(dropped.at, world.clock.now());
    }

    /// Those that have missed much are computed and written beside all others.
    async fn schedules_with_much_to_make_up_for_hold_up_no_others(world: World) {
        world.clock.advance(SECOND / 2);
        let recurring = world.client.recurring();
        let strict = || options(Misfire::Strict).max_missed(10_000).tz("Europe/Berlin").queue("idle");
        for id in ["a", "b", "c"] {
            recurring.add_or_update(id, Tell::new("eu"), "@every_second", strict()).await.expect("added");
        }
        world.clock.advance(HOUR * 24 * 900);
        recurring.add_or_update("z", Tell::new("eu"), "@every_second", options(Misfire::Relaxed)).await.expect("added");
        let _server = server(&world).await;
        let mut versions = Vec::new();
        for id in ["z", "a", "b", "c"] {
            world.followed(id).await;
            versions.push(world.storage.schedule(&id.parse().expect("an id")).await.expect("read").expect("there").version);
        }
        assert!(versions[1..].iter().all(|version| *version > versions[0]), "it was due last and written first");
        assert_eq!(world.jobs_of("c").await.len(), 10_000);
    }

    /// More of them than are written at once.
    async fn many_schedules_make_up_for_what_they_missed(world: World) {
        world.clock.advance(SECOND);
        let ids: Vec<String> = (0..700).map(|number| format!("{number:03}")).collect();
        for id in &ids {
            let strict = options(Misfire::Strict).queue("idle");
            world.client.recurring().add_or_update(id, Tell::new("eu"), "@hourly", strict).await.expect("added");
        }
        world.clock.advance(HOUR * 2);
        let (_one, _other) = (server(&world).await, server(&world).await);
        for id in &ids {
            world.followed(id).await;
            assert_eq!(world.slots_of(id).await, ["01:00:00", "02:00:00"], "{id}");
        }
    }

    /// Twice the polling interval, which is 15 s, is how old a slot may be.
    async fn ignorable_leaves_out_what_was_missed(world: World) {
        world.clock.advance(SECOND);
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@hourly", options(Misfire::Ignorable)).await.expect("added");
        world.clock.advance(HOUR + SECOND * 30);
        let first = server(&world).await;
        world.followed("a").await;
        assert!(world.slots_of("a").await.is_empty(), "31 s late");
        first.shutdown(SECOND).await.expect("shut down");
        world.clock.advance(HOUR - SECOND);
        let _second = server(&world).await;
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["02:00:00"], "30 s late");
        world.clock.advance(HOUR);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["02:00:00", "03:00:00"], "in time");
    }

    /// All that was missed is young then, so it is bounded as strict ones are.
    async fn a_polling_interval_without_end_leaves_schedules_working(world: World) {
        world.clock.advance(SECOND);
        let recurring = world.client.recurring();
        for misfire in ALL {
            let options = options(misfire);
            recurring.add_or_update(misfire.as_str(), Tell::new("eu"), "@every_minute", options).await.expect("added");
        }
        world.clock.advance(HOUR * 20);
        let server = world.server().register::<Tell>().schedule_poll_interval(std::time::Duration::MAX);
        let _server = server.start().await.expect("started");
        for (misfire, jobs) in ALL.into_iter().zip([1, 1_000, 1_000]) {
            world.followed(misfire.as_str()).await;
            assert_eq!(world.jobs_of(misfire.as_str()).await.len(), jobs, "{misfire:?}");
        }
        let dropped = recurring.get("ignorable").await.expect("read").expect("there").dropped().expect("told");
        assert_eq!(dropped.first.format("%H:%M").to_string(), "00:01");
    }

    async fn the_next_run_is_never_in_the_past(world: World) {
        let recurring = world.client.recurring();
        world.clock.advance(SECOND / 2);
        for misfire in ALL {
            recurring.add_or_update(misfire.as_str(), Tell::new("eu"), "@hourly", options(misfire)).await.expect("added");
            let next = recurring.get(misfire.as_str()).await.expect("read").expect("there").next_run();
            assert!(next >= Some(world.clock.now()), "{next:?}");
        }
        let _server = server(&world).await;
        for step in [HOUR * 7 + SECOND / 3, SECOND * 10_000, HOUR * 48, SECOND] {
            world.clock.advance(step);
            for misfire in ALL {
                world.followed(misfire.as_str()).await;
                let runs = recurring.next_runs(misfire.as_str(), 3).await.expect("runs");
                assert!(runs[0] > world.clock.now() && runs[0] < runs[1] && runs[1] < runs[2], "{runs:?}");
            }
        }
    }

    async fn what_never_fires_is_never_due_but_can_be_triggered(world: World) {
        let recurring = world.client.recurring();
        recurring.add_or_update("a", Tell::new("eu"), Cron::never(), ScheduleOptions::new()).await.expect("added");
        let _server = server(&world).await;
        world.clock.advance(HOUR * 24 * 366 * 5);
        let schedule = recurring.get("a").await.expect("read").expect("there");
        assert_eq!((schedule.next_run(), schedule.error()), (None, None));
        assert!(recurring.next_runs("a", 5).await.expect("none").is_empty());
        recurring.trigger("a").await.expect("triggered");
        assert_eq!(world.slots_of("a").await, ["-"]);
    }

    /// Elsewhere (Hangfire #529 #567) the change of clocks stopped the scheduler.
    async fn a_change_of_clocks_neither_loses_nor_doubles_a_day(world: World) {
        // On the 31st of March 2030, clocks there are put from 2:00 to 3:00.
        world.clock.set("2030-03-29T12:00:00Z".parse().expect("a time"));
        // In a queue that nobody serves, so that no job succeeds and expires.
        let berlin = options(Misfire::Strict).tz("Europe/Berlin").queue("idle");
        let recurring = world.client.recurring();
        recurring.add_or_update("a", Tell::new("eu"), "30 2 * * *", berlin).await.expect("added");
        let _server = server(&world).await;
        for _ in 0..4 * 24 {
            world.clock.advance(HOUR);
            world.followed("a").await;
        }
        assert_eq!(world.slots_of("a").await, ["01:30:00", "01:00:00", "00:30:00", "00:30:00"], "in UTC");
    }

    /// A clock that runs back must not run a slot twice.
    async fn a_clock_that_is_set_back_runs_no_slot_again(world: World) {
        world.clock.advance(SECOND);
        world.client.recurring().add_or_update("a", Tell::new("eu"), "@hourly", options(Misfire::Strict)).await.expect("added");
        let _server = server(&world).await;
        world.clock.advance(HOUR * 2);
        world.followed("a").await;
        world.clock.set(world.clock.now() - HOUR);
        world.clock.advance(HOUR);
        world.clock.advance(HOUR);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["01:00:00", "02:00:00", "03:00:00"]);
    }
}
