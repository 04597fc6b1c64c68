//! Adding, changing, steering and reading schedules at run time.

use jobs_runtime::{
    client::{Defined, ScheduleError},
    job::{Invocation, JobName},
    schedule::{Cron, CronErrorKind, CronSchedule, Misfire, Overlap, ScheduleOptions},
    state::StateName,
};
use jobs_tests::{World, on_each_storage};

use super::{HOUR, SECOND, Schedules, Tell, server};

fn options() -> ScheduleOptions {
    ScheduleOptions::new()
}

fn strict() -> ScheduleOptions {
    options().misfire(Misfire::Strict)
}

async fn version(world: &World, id: &'static str) -> i64 {
    let id = id.parse().expect("an id");
    world.storage.schedule(&id).await.expect("read").expect("there").version
}

on_each_storage! {
    async fn a_schedule_reads_back_with_its_next_runs(world: World) {
        let recurring = world.client.recurring();
        let shanghai = options().tz("Asia/Shanghai").queue("reports").misfire(Misfire::Strict).overlap(Overlap::Skip);
        let defined = recurring.add_or_update("digest", Tell::new("cn"), "0 9 * * MON-FRI", shanghai).await;
        assert_eq!(defined.expect("added"), Defined::Added);
        let list = recurring.list().await.expect("listed");
        let [schedule] = list.as_slice() else { panic!("{list:?}") };
        let definition = schedule.definition().expect("readable");
        assert_eq!((definition.job().to_string(), definition.arguments.as_str()), ("jobs_tests.tell".into(), r#"{"region":"cn"}"#));
        assert_eq!((definition.cron.as_str(), definition.tz.as_str()), ("0 9 * * MON-FRI", "Asia/Shanghai"));
        assert_eq!((definition.misfire.as_str(), definition.overlap.as_str()), ("strict", "skip"));
        assert_eq!((definition.queue.as_str(), &definition.package), ("reports", &None));
        assert_eq!((schedule.created_at(), schedule.last_run(), schedule.error()), (Some(world.clock.now()), None, None));
        // The first of January 2030 is a Tuesday.
        let runs = recurring.next_runs("digest", 4).await.expect("runs");
        let shown: Vec<String> = runs.iter().map(|run| run.format("%a %d %H:%M %z").to_string()).collect();
        assert_eq!(shown, ["Tue 01 09:00 +0800", "Wed 02 09:00 +0800", "Thu 03 09:00 +0800", "Fri 04 09:00 +0800"]);
    }

    async fn an_unchanged_schedule_is_not_written_and_keeps_its_next_run(world: World) {
        let recurring = world.client.recurring();
        let add = async || recurring.add_or_update("a", Tell::new("eu"), Cron::daily(9, 30), strict().max_missed(5)).await;
        assert_eq!(add().await.expect("added"), Defined::Added);
        let before = version(&world, "a").await;
        world.clock.advance(HOUR * 12);
        assert_eq!(add().await.expect("the same"), Defined::Unchanged);
        assert_eq!(version(&world, "a").await, before);
        let schedule = recurring.get("a").await.expect("read").expect("there");
        assert!(schedule.next_run() < Some(world.clock.now()), "what was missed is still to be made up for");
    }

    /// Strict must not replay the new expression over the old time.
    async fn a_changed_expression_or_zone_counts_from_now(world: World) {
        let recurring = world.client.recurring();
        world.clock.advance(SECOND);
        recurring.add_or_update("cron", Tell::new("eu"), "@daily", strict()).await.expect("added");
        recurring.add_or_update("zone", Tell::new("eu"), "0 1 * * *", strict()).await.expect("added");
        world.clock.advance(HOUR * 72);
        let changed = recurring.add_or_update("cron", Tell::new("eu"), "@hourly", strict()).await.expect("changed");
        assert_eq!(changed, Defined::Updated);
        recurring.add_or_update("zone", Tell::new("eu"), "0 1 * * *", strict().tz("Etc/GMT+2")).await.expect("changed");
        let _server = server(&world).await;
        world.followed("cron").await;
        world.followed("zone").await;
        assert!(world.slots_of("cron").await.is_empty() && world.slots_of("zone").await.is_empty());
        world.clock.advance(HOUR * 3 - SECOND);
        world.followed("cron").await;
        world.followed("zone").await;
        assert_eq!(world.slots_of("cron").await, ["01:00:00", "02:00:00", "03:00:00"]);
        assert_eq!(world.slots_of("zone").await, ["03:00:00"]);
    }

    /// An expression that means the same, other arguments, another queue: the slots stay.
    async fn a_change_that_is_not_of_its_times_keeps_what_is_due(world: World) {
        let recurring = world.client.recurring();
        world.clock.advance(SECOND);
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", strict()).await.expect("added");
        world.clock.advance(HOUR * 2);
        let changed = recurring.add_or_update("a", Tell::new("us"), "0 * * * *", strict().queue("other")).await;
        assert_eq!(changed.expect("changed"), Defined::Updated);
        let _server = world.server().queues(["default", "other"]).register::<Tell>().start().await.expect("started");
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["01:00:00", "02:00:00"]);
        let jobs = world.jobs_of("a").await;
        assert!(jobs.iter().all(|job| job.queue.as_str() == "other" && job.arguments == r#"{"region":"us"}"#), "{jobs:?}");
    }

    /// A slot that has run does not run again because the schedule changed in its second.
    async fn a_change_in_the_second_of_a_slot_does_not_repeat_it(world: World) {
        let recurring = world.client.recurring();
        let _server = server(&world).await;
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", options()).await.expect("added");
        world.followed("a").await;
        recurring.add_or_update("a", Tell::new("eu"), "*/5 * * * *", options()).await.expect("changed");
        recurring.pause("a").await.expect("paused");
        recurring.resume("a").await.expect("resumed");
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["00:00:00"]);
    }

    async fn a_job_knows_its_schedule_and_slot(world: World) {
        let _server = server(&world).await;
        let recurring = world.client.recurring();
        recurring.add_or_update("ünï/1", Tell::new("eu"), "@hourly", options()).await.expect("added");
        world.followed("ünï/1").await;
        let job = world.jobs_of("ünï/1").await.pop().expect("a job");
        let result = world.until(job.id, StateName::Succeeded).await.result.expect("a result");
        assert_eq!(result, r#"["eu","ünï/1","2030-01-01T00:00:00Z"]"#);
        let triggered = recurring.trigger("ünï/1").await.expect("triggered");
        let result = triggered.wait(SECOND * 10).await.expect("a result");
        assert_eq!(result, serde_json::json!(["eu", "ünï/1", null]));
        let by_hand = Tell::enqueue("eu").await.expect("enqueued").wait(SECOND * 10).await.expect("a result");
        assert_eq!(by_hand, ("eu".to_owned(), None, None));
        let last = recurring.get("ünï/1").await.expect("read").expect("there").last_run().expect("a run");
        assert_eq!((last.job, last.slot), (triggered.id(), None));
    }

    async fn a_trigger_leaves_the_slots_as_they_are(world: World) {
        let recurring = world.client.recurring();
        world.clock.advance(SECOND);
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", strict()).await.expect("added");
        world.clock.advance(HOUR * 2);
        recurring.trigger("a").await.expect("triggered");
        recurring.trigger("a").await.expect("again, in the same moment");
        let _server = server(&world).await;
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["-", "-", "01:00:00", "02:00:00"]);
    }

    async fn a_paused_schedule_makes_no_jobs_and_makes_up_for_none(world: World) {
        let recurring = world.client.recurring();
        let _server = server(&world).await;
        world.clock.advance(SECOND);
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", strict()).await.expect("added");
        recurring.pause("a").await.expect("paused");
        let version_then = version(&world, "a").await;
        recurring.pause("a").await.expect("still paused");
        assert_eq!(version(&world, "a").await, version_then);
        let schedule = recurring.get("a").await.expect("read").expect("there");
        assert_eq!((schedule.is_paused(), schedule.next_run()), (true, None));
        assert!(!recurring.next_runs("a", 2).await.expect("what would be").is_empty());
        // A changed expression does not resume it.
        recurring.add_or_update("a", Tell::new("eu"), "*/30 * * * *", strict()).await.expect("changed");
        world.clock.advance(HOUR * 5);
        recurring.trigger("a").await.expect("triggered");
        recurring.resume("a").await.expect("resumed");
        recurring.resume("a").await.expect("it runs already");
        world.clock.advance(HOUR / 2);
        world.followed("a").await;
        assert_eq!(world.slots_of("a").await, ["-", "05:30:00"]);
    }

    async fn a_removed_schedule_is_gone_and_its_jobs_stay(world: World) {
        let recurring = world.client.recurring();
        let _server = server(&world).await;
        recurring.add_or_update("a", Tell::new("eu"), "@hourly", options()).await.expect("added");
        world.followed("a").await;
        assert!(recurring.remove("a").await.expect("removed"));
        assert!(!recurring.remove("a").await.expect("nothing to remove"));
        world.clock.advance(HOUR * 3);
        assert_eq!(recurring.get("a").await.expect("read"), None);
        assert_eq!(world.slots_of("a").await, ["00:00:00"]);
        for error in [
            recurring.pause("a").await.expect_err("gone"),
            recurring.resume("a").await.expect_err("gone"),
            recurring.trigger("a").await.expect_err("gone"),
            recurring.next_runs("a", 1).await.expect_err("gone"),
        ] {
            assert_eq!(error.to_string(), "there is no schedule `a`");
        }
    }

    async fn an_invocation_of_a_job_that_this_program_lacks_recurs(world: World) {
        let recurring = world.client.recurring();
        let call = Invocation::new(JobName::new("elsewhere", "work"), &serde_json::json!({ "n": 1 })).expect("JSON");
        recurring.add_or_update("a", call, CronSchedule::parse("@hourly").expect("cron"), options()).await.expect("added");
        let job = recurring.trigger("a").await.expect("triggered");
        let details = world.details(job.id()).await;
        assert_eq!((details.job.name.to_string(), details.job.arguments.as_str()), ("elsewhere.work".into(), r#"{"n":1}"#));
    }

    /// Each names the value and says what to write; nothing is stored.
    async fn bad_input_is_refused_with_its_reason(world: World) {
        let recurring = world.client.recurring();
        let add = async |id: &str, cron: &str, options| {
            recurring.add_or_update(id, Tell::new("eu"), cron, options).await.expect_err("refused")
        };
        let error = add("a", "0 25 * * *", options()).await;
        assert_eq!(error.to_string(), "schedule `a`: `25` in the field `Hours` of `0 25 * * *` is out of range: use 0 to 23");
        let ScheduleError::Cron { source, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(source.kind(), CronErrorKind::OutOfRange { .. }) && source.range() == (2..4));
        let error = add("a", "@daily", options().tz("Asia/Shangai")).await;
        assert_eq!(error.to_string(), "schedule `a`: `Asia/Shangai` is not a time zone; did you mean `Asia/Shanghai`?");
        let error = add("a", "@daily", options().queue("No!")).await;
        assert!(error.to_string().starts_with("schedule `a`: invalid queue name `No!`"), "{error}");
        let error = add("", "@daily", options()).await;
        assert_eq!(error.to_string(), "invalid schedule id ``: it is empty");
        let error = add("a", "@daily", options().max_missed(5)).await;
        assert_eq!(error.to_string(), "schedule `a`: `max_missed(5)`: it is for `Misfire::Strict` only");
        for wrong in [0, 10_001, u32::MAX] {
            let error = add("a", "@daily", strict().max_missed(wrong)).await;
            assert_eq!(error.to_string(), format!("schedule `a`: `max_missed({wrong})`: use 1 to 10,000"));
        }
        let error = recurring.add_or_update("a", Tell::new("x".repeat(2_000_000)), "@daily", options()).await;
        let error = error.expect_err("too large").to_string();
        assert!(error.starts_with("schedule `a`: the arguments of job `jobs_tests.tell` are 2000013 bytes"), "{error}");
        assert!(recurring.list().await.expect("listed").is_empty());
    }

    async fn many_schedules_are_listed(world: World) {
        let recurring = world.client.recurring();
        for number in 0..1_100 {
            recurring.add_or_update(format!("{number:04}"), Tell::new("eu"), Cron::never(), options()).await.expect("added");
        }
        let list = recurring.list().await.expect("listed");
        assert!(list.iter().map(|schedule| schedule.id().as_str()).eq((0..1_100).map(|number| format!("{number:04}"))));
    }

    /// Those who change one schedule at once don't undo each other.
    async fn changes_at_the_same_time_all_count(world: World) {
        let recurring = world.client.recurring();
        recurring.add_or_update("a", Tell::new("eu"), Cron::never(), options()).await.expect("added");
        let triggers: Vec<_> = (0..10).map(|_| {
            let recurring = recurring.clone();
            tokio::spawn(async move { recurring.trigger("a").await.expect("triggered").id() })
        }).collect();
        recurring.pause("a").await.expect("paused");
        for trigger in triggers {
            trigger.await.expect("a task");
        }
        assert_eq!(world.jobs_of("a").await.len(), 10);
        assert!(recurring.get("a").await.expect("read").expect("there").is_paused());
    }
}
