//! Recurring jobs: which slots become jobs, and what is told of those that don't.

#[path = "recurring/api.rs"]
mod api;
#[path = "recurring/corrected.rs"]
mod corrected;
#[path = "recurring/declared.rs"]
mod declared;
#[path = "recurring/misfires.rs"]
mod misfires;
#[path = "recurring/overlap.rs"]
mod overlap;
#[path = "recurring/renamed.rs"]
mod renamed;
#[path = "recurring/servers.rs"]
mod servers;
#[path = "recurring/stalled.rs"]
mod stalled;

use std::time::Duration;

use jobs_runtime::{
    JobServer,
    clock::Timestamp,
    prelude::*,
    schedule::ScheduleId,
    storage::{JobFilter, JobSummary, PageRequest, ScheduleContent, ScheduleWrite, ScheduleWritten},
};
use jobs_tests::World;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Returns what it knows of where it comes from.
#[job]
async fn tell(cx: JobContext, region: String) -> (String, Option<String>, Option<Timestamp>) {
    (region, cx.schedule().map(ToString::to_string), cx.slot())
}

/// A server that knows `tell`, and follows schedules.
async fn server(world: &World) -> JobServer {
    world.server().register::<Tell>().start().await.expect("started")
}

/// Stores a schedule as another version of the library may have done, also over one that is there.
async fn put(world: &World, id: &str, definition: &str, progress: &str, next_run: Option<Timestamp>) {
    let id: ScheduleId = id.parse().expect("an id");
    let found = world.storage.schedule(&id).await.expect("read").map(|found| found.version);
    let content = ScheduleContent { next_run, definition: definition.to_owned(), progress: progress.to_owned() };
    let write = ScheduleWrite { id, found, content: Some(content), jobs: Vec::new() };
    assert_eq!(world.storage.write_schedules(vec![write]).await.expect("written"), [ScheduleWritten::Stored]);
}

/// The progress of a schedule that was made at `now`.
fn new_progress(now: Timestamp) -> String {
    format!(r#"{{"created_at":"{0}","base":"{0}"}}"#, now.to_rfc3339())
}

/// What schedules are asked for here.
trait Schedules {
    /// The jobs of a schedule, oldest slot first.
    async fn jobs_of(&self, id: &str) -> Vec<JobSummary>;

    /// Their slots, as times of day; `-` for none.
    async fn slots_of(&self, id: &str) -> Vec<String> {
        let slot = |job: JobSummary| job.recurrence.expect("its schedule").slot;
        let jobs = self.jobs_of(id).await.into_iter();
        jobs.map(slot).map(|slot| slot.map_or("-".to_owned(), |slot| slot.format("%H:%M:%S").to_string())).collect()
    }

    /// Waits until a server has come to a schedule: its next run lies ahead.
    async fn followed(&self, id: &str);
}

impl Schedules for World {
    async fn jobs_of(&self, id: &str) -> Vec<JobSummary> {
        let filter = JobFilter::all().schedule(ScheduleId::new(id.to_owned()).expect("an id"));
        let (mut jobs, mut page) = (Vec::new(), PageRequest::first(1_000));
        loop {
            let found = self.storage.jobs(&filter, &page).await.expect("read");
            jobs.extend(found.jobs);
            match found.next {
                Some(next) => page = PageRequest::after(1_000, next),
                None => break,
            }
        }
        jobs.sort_by_key(|job| (job.recurrence.clone(), job.id));
        jobs
    }

    async fn followed(&self, id: &str) {
        for _ in 0..10_000 {
            let schedule = self.client.recurring().get(id).await.expect("read").expect("a schedule");
            if schedule.next_run().is_none_or(|next| next > self.clock.now()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("no server came to schedule {id}");
    }
}
