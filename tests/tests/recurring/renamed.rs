//! A job that was renamed, and whose schedule is named as it is.

use std::sync::Arc;

use jobs_runtime::{
    JobServer,
    client::Schedule,
    clock::Timestamp,
    prelude::*,
    schedule::ScheduleId,
    server::JobServerBuilder,
    storage::{ScheduleContent, ScheduleWrite, Storage},
};
use jobs_tests::{Faulty, World, on_each_storage};

use super::{HOUR, SECOND, Schedules, put};

#[job(aliases("old_name", "older_name"))]
#[recurring(cron = "@hourly", misfire = "strict")]
async fn new_name() {}

const OLD: &str = "jobs_tests.old_name";
const NEW: &str = "jobs_tests.new_name";

fn definition(method: &str, cron: &str) -> String {
    format!(
        r#"{{"type":"jobs_tests","method":"{method}","arguments":null,"cron":"{cron}","tz":"UTC","queue":"default","misfire":"strict","package":"jobs_tests"}}"#
    )
}

/// How far a schedule has come whose slots up to `base` are done with.
fn progress(base: Timestamp) -> String {
    format!(r#"{{"created_at":"2029-01-01T00:00:00Z","base":"{}"}}"#, base.to_rfc3339())
}

/// What the program stored before the job was renamed.
async fn stored_before(world: &World, method: &str, cron: &str, base: Timestamp) {
    put(world, &format!("jobs_tests.{method}"), &definition(method, cron), &progress(base), Some(base + HOUR)).await;
}

fn server(storage: Arc<dyn Storage>) -> JobServerBuilder {
    JobServer::builder(storage).discover(false).register::<NewName>()
}

async fn found(world: &World, id: &str) -> Option<Schedule> {
    world.client.recurring().get(id).await.expect("read")
}

on_each_storage! {
    /// Else both would run, and what was missed meanwhile would be lost.
    async fn its_schedule_goes_on_under_the_new_name(world: World) {
        stored_before(&world, "old_name", "0 * * * *", world.clock.now()).await;
        world.clock.advance(HOUR * 2 + SECOND);
        let _server = server(world.storage.clone()).start().await.expect("started");
        assert_eq!(found(&world, OLD).await, None);
        world.followed(NEW).await;
        assert_eq!(world.slots_of(NEW).await, ["01:00:00", "02:00:00"]);
        let now = found(&world, NEW).await.expect("there");
        assert_eq!(now.created_at().map(|at| at.to_rfc3339()).as_deref(), Some("2029-01-01T00:00:00+00:00"));
        assert_eq!((now.definition().expect("readable").method.as_str(), now.is_orphaned()), ("new_name", false));
        drop(server(world.storage.clone()).start().await.expect("started"));
        assert_eq!(world.client.recurring().list().await.expect("listed").len(), 1);
    }

    async fn a_pause_stays(world: World) {
        stored_before(&world, "old_name", "@hourly", world.clock.now()).await;
        world.client.recurring().pause(OLD).await.expect("paused");
        drop(server(world.storage.clone()).start().await.expect("started"));
        let now = found(&world, NEW).await.expect("there");
        assert_eq!((now.is_paused(), now.next_run()), (true, None));
    }

    async fn it_counts_from_now_if_its_times_have_changed_too(world: World) {
        stored_before(&world, "old_name", "@every_minute", world.clock.now()).await;
        world.clock.advance(HOUR * 2 + SECOND);
        let _server = server(world.storage.clone()).start().await.expect("started");
        assert_eq!(found(&world, OLD).await, None);
        assert_eq!(found(&world, NEW).await.expect("there").next_run(), Some(world.clock.now() + HOUR - SECOND));
    }

    /// The one that has come furthest; the others are what is left of the past.
    async fn of_several_earlier_names_the_last_one_counts(world: World) {
        let start = world.clock.now();
        stored_before(&world, "older_name", "@hourly", start - HOUR).await;
        stored_before(&world, "old_name", "@hourly", start).await;
        world.clock.advance(HOUR);
        drop(server(world.storage.clone()).start().await.expect("started"));
        assert_eq!(found(&world, OLD).await, None);
        assert!(found(&world, "jobs_tests.older_name").await.expect("there").is_orphaned());
        assert!(found(&world, NEW).await.is_some());
    }

    async fn a_schedule_with_an_id_of_its_own_is_another_one(world: World) {
        let now = world.clock.now();
        put(&world, "nightly", &definition("old_name", "@hourly"), &progress(now), Some(now + HOUR)).await;
        world.clock.advance(SECOND);
        drop(server(world.storage.clone()).start().await.expect("started"));
        assert!(found(&world, "nightly").await.expect("there").is_orphaned());
        assert_eq!(found(&world, NEW).await.expect("there").created_at(), Some(world.clock.now()));
    }

    async fn what_is_there_under_the_new_name_stays_as_it_is(world: World) {
        world.clock.advance(SECOND);
        drop(server(world.storage.clone()).start().await.expect("started"));
        let before = found(&world, NEW).await;
        // A server of the old version has started meanwhile.
        stored_before(&world, "old_name", "@hourly", world.clock.now() + HOUR / 2).await;
        drop(server(world.storage.clone()).start().await.expect("started"));
        assert_eq!(found(&world, NEW).await, before);
        assert!(found(&world, OLD).await.expect("there").is_orphaned());
    }

    /// A slot that a server of the old version makes a job just then does not come again under the new name.
    async fn a_slot_that_is_made_meanwhile_is_not_made_twice(world: World) {
        let start = world.clock.now();
        stored_before(&world, "old_name", "@hourly", start).await;
        world.clock.advance(HOUR);
        let id = ScheduleId::new(OLD).expect("an id");
        let version = world.storage.schedule(&id).await.expect("read").expect("there").version;
        let next_run = Some(start + HOUR * 2);
        let (definition, progress) = (definition("old_name", "@hourly"), progress(start + HOUR));
        let content = Some(ScheduleContent { next_run, definition, progress });
        let line = Faulty::new(world.storage.clone(), 1);
        line.be_faster_with(vec![ScheduleWrite { id, found: Some(version), content, jobs: Vec::new() }]);
        let _server = server(line).start().await.expect("started");
        assert_eq!(found(&world, OLD).await, None);
        assert_eq!(found(&world, NEW).await.expect("there").next_run(), next_run);
        assert!(world.jobs_of(NEW).await.is_empty());
    }
}
