//! Machines whose clocks differ: what is stored and compared are the times of the database's clock.

use std::{collections::HashSet, process::Command, sync::Arc, time::Duration};

use jobs_runtime::{
    client::JobHandle,
    prelude::*,
    schedule::ScheduleId,
    state::StateName,
    storage::{JobDetails, JobFilter, PageRequest, Storage},
};
use jobs_tests::{
    Place, on_each_engine,
    work::{Nap, PutOff, Stumble, Work},
};

use super::processes::{Process, all_details};

const PATIENCE: Duration = Duration::from_secs(60);
const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);
const SOON: Duration = Duration::from_millis(500);

on_each_engine! {
    // One process's clock is right, the other's an hour ahead. Neither takes the other for dead, nothing runs early, and
    // nothing waits for an hour.
    async fn two_workers_an_hour_apart_agree(place: Place) {
        let storage = place.open().await;
        let client = Client::new(storage.clone());
        let (_right, ahead) = two_workers(&place);
        let recurring = client.recurring();
        recurring.add_or_update("seconds", Work::new(1), "* * * * * *", ScheduleOptions::new()).await.expect("added");
        // Longer than the silence after which a server counts as dead.
        let mut jobs = ids(&client.enqueue_all([2_500; 4].map(Nap::new)).await.expect("stored"));
        jobs.extend(ids(&client.enqueue_all((0..300).map(Work::new)).await.expect("stored")));
        jobs.extend(ids(&client.enqueue_all((0..50).map(Stumble::new)).await.expect("stored")));
        let delayed = (0..50).map(|n| Work::enqueue(n).delay(SOON));
        let mut soon = ids(&client.enqueue_all(delayed).await.expect("stored"));
        let delayed = (0..20).map(|n| Work::enqueue(n).delay(HALF_AN_HOUR));
        let mut late = ids(&client.enqueue_all(delayed).await.expect("stored"));
        // And such as the workers enqueue by their own clocks.
        for (delay, delayed) in [(SOON, &mut soon), (HALF_AN_HOUR, &mut late)] {
            let millis = delay.as_millis() as u64;
            let putting_off = client.enqueue_all((0..50).map(|n| PutOff::new(n, millis))).await.expect("stored");
            for job in &putting_off {
                delayed.push(job.wait(PATIENCE).await.expect("done"));
            }
            jobs.extend(ids(&putting_off));
        }
        until_succeeded(&storage, jobs.iter().chain(&soon).copied().collect()).await;
        recurring.remove("seconds").await.expect("removed");
        for details in all_details(&storage, late).await {
            assert_eq!((details.job.state, details.history.len()), (StateName::Scheduled, 1), "{details:#?}");
        }
        let mut servers = HashSet::new();
        for details in all_details(&storage, jobs.into_iter().chain(soon.clone())).await {
            assert_was_not_lost(&details);
            let runs = details.history.iter().filter(|entry| entry.state == StateName::Processing);
            servers.extend(runs.map(|run| run.data["server"].to_string()));
        }
        assert_eq!(servers.len(), 2, "both of them work");
        for details in all_details(&storage, soon).await {
            let run = details.history.iter().find(|entry| entry.state == StateName::Processing).expect("a run");
            // What two processes take for the database's time differs by what its answers took.
            assert!(run.at > details.job.created_at + SOON / 2, "{details:#?}");
        }
        assert_slots_are_past(&storage).await;
        assert_dead_are_rescued(&storage, &client, ahead).await;
        storage.close().await;
    }
}

/// One with the machine's clock, and one whose clock is an hour ahead.
fn two_workers(place: &Place) -> (Process, Process) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = folder.path().join("ahead.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/storages/ahead.c");
    // Rust links with it too.
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(compiled.expect("a C compiler").success());
    let (url, library) = (place.url.to_string(), library.to_str().expect("a path"));
    let (right, its_time) = Process::start_in(&url, &[]);
    let (ahead, later) = Process::start_in(&url, &[("LD_PRELOAD", library)]);
    assert!((3_600..3_660).contains(&(later - its_time)), "{later} {its_time}");
    (right, ahead)
}

fn ids<T>(handles: &[JobHandle<T>]) -> Vec<JobId> {
    handles.iter().map(JobHandle::id).collect()
}

async fn until_succeeded(storage: &Arc<dyn Storage>, jobs: Vec<JobId>) {
    let began = std::time::Instant::now();
    loop {
        let states = storage.states(&jobs).await.expect("read");
        let left: Vec<_> = states.iter().filter(|(_, state)| *state != StateName::Succeeded).collect();
        if left.is_empty() && states.len() == jobs.len() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{left:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn assert_was_not_lost(details: &JobDetails) {
    let ends = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).count();
    assert_eq!((details.lost, ends), (0, 1), "{details:#?}");
}

/// Nobody made the jobs of slots that are still to come.
async fn assert_slots_are_past(storage: &Arc<dyn Storage>) {
    let filter = JobFilter::all().schedule("seconds".parse::<ScheduleId>().expect("an id"));
    let jobs = storage.jobs(&filter, &PageRequest::first(1_000)).await.expect("read").jobs;
    let slots: Vec<_> = jobs.iter().filter_map(|job| job.recurrence.as_ref()?.slot).collect();
    let now = storage.clock().now();
    assert!(slots.len() >= 2 && slots.iter().all(|slot| *slot <= now), "{now}: {slots:#?}");
    assert_eq!(slots.iter().collect::<HashSet<_>>().len(), jobs.len(), "{jobs:#?}");
}

/// The one whose clock was ahead dies, and what it held is not waited for until its last heartbeat is past.
async fn assert_dead_are_rescued(storage: &Arc<dyn Storage>, client: &Client, ahead: Process) {
    let naps = ids(&client.enqueue_all([1_000; 10].map(Nap::new)).await.expect("stored"));
    let began = std::time::Instant::now();
    while storage.counts().await.expect("counted").of(StateName::Processing).value < 10 {
        assert!(began.elapsed() < PATIENCE, "{:?}", storage.counts().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(ahead);
    until_succeeded(storage, naps.clone()).await;
    let lost: u32 = all_details(storage, naps).await.iter().map(|details| details.lost).sum();
    assert!((1..=5).contains(&lost), "{lost} runs were lost");
}
