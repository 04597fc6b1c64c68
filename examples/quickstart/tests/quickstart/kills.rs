use std::{collections::HashMap, time::Duration};

use jobs_runtime::{
    job::JobId,
    state::StateName,
    storage::{JobDetails, JobFilter},
};

use crate::place::{Place, READ_FILE, Ran, details, list, program};

/// So slow that six rounds of the usual ten workers take seconds.
const SLOW: &[&str] = &["--slow", "400"];

#[tokio::test]
async fn after_a_kill_the_rest_is_done_and_nothing_twice() {
    let place = Place::with_files(60);
    let running = place.start(SLOW);
    place.wait_for(8, StateName::Succeeded).await;
    running.kill();
    let before = files_of(&place).await;
    assert!(before.values().any(|job| job.job.state != StateName::Succeeded), "it was killed in the middle");

    let ran = place.run(&[]);
    assert_eq!(ran.done(), "done: 63 succeeded, 0 failed, 0 deleted");
    assert!(ran.stdout.contains("resuming it"), "{ran:#?}");
    let after = files_of(&place).await;
    assert_eq!(after.len(), 60);
    for (id, job) in &before {
        check(job, &after[id]);
    }
}

async fn files_of(place: &Place) -> HashMap<JobId, JobDetails> {
    let storage = place.storage().await;
    let jobs = details(&*storage, JobFilter::all().name(READ_FILE)).await;
    storage.close().await;
    jobs.into_iter().map(|job| (job.job.id, job)).collect()
}

/// Checks the history of a job against what it was when the program was killed.
fn check(before: &JobDetails, after: &JobDetails) {
    let times = |state| after.history.iter().filter(|entry| entry.state == state).count();
    assert_eq!(times(StateName::Succeeded), 1, "{after:#?}");
    assert_eq!(after.history.last().map(|entry| entry.state), Some(StateName::Succeeded), "{after:#?}");
    match before.job.state {
        StateName::Succeeded => assert_eq!(after.history, before.history, "it had succeeded and is left alone"),
        StateName::Processing => assert!((1..=2).contains(&times(StateName::Processing)), "{after:#?}"),
        _ => assert_eq!(times(StateName::Processing), 1, "{after:#?}"),
    }
}

#[tokio::test]
async fn a_kill_while_jobs_are_stored_leaves_all_or_none() {
    const FILES: usize = 2_000;
    let place = Place::with_files(FILES);
    for milliseconds in [10, 30, 50, 70, 100, 140, 200] {
        let running = place.start(&["--slow", "1000"]);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        running.kill();
        let stored = list(&*place.storage().await, JobFilter::all()).await.len();
        assert!([0, FILES + 3].contains(&stored), "{stored} jobs after {milliseconds} ms");
        std::fs::remove_file(place.database()).expect("a database");
        for left in ["test.db-wal", "test.db-shm"] {
            // They are there only if the storage was not closed.
            let _ = std::fs::remove_file(place.root().join(left));
        }
    }
}

#[tokio::test]
async fn a_file_that_vanished_meanwhile_fails_and_the_run_ends() {
    let place = Place::with_files(40);
    let running = place.start(SLOW);
    place.wait_for(1, StateName::Succeeded).await;
    running.kill();
    let last = place.folder().join("00039.txt");
    std::fs::remove_file(&last).expect("it was there");
    let ran = place.run(&[]);
    assert_eq!(ran.done(), "done: 42 succeeded, 1 failed, 0 deleted");
    let message = format!("failed: can't read `{}`: ", last.canonicalize().unwrap_or(last).display());
    assert!(ran.stdout.contains(&message), "{ran:#?}");
}

#[tokio::test]
async fn an_interrupted_run_comes_before_that_of_another_folder() {
    let (place, other) = (Place::with_files(30), Place::with_files(1));
    let running = place.start(SLOW);
    place.wait_for(1, StateName::Succeeded).await;
    running.kill();
    let resumed = Ran::of(&mut program(&other.folder(), &place.database()));
    assert_eq!(resumed.done(), "done: 33 succeeded, 0 failed, 0 deleted");
    assert!(resumed.stdout.contains("that run comes first"), "{resumed:#?}");
    let new = Ran::of(&mut program(&other.folder(), &place.database()));
    assert_eq!(new.done(), "done: 4 succeeded, 0 failed, 0 deleted");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_gives_running_jobs_back_and_the_same_command_resumes() {
    let place = Place::with_files(30);
    let running = place.start(&["--slow", "60000"]);
    place.wait_for(1, StateName::Processing).await;
    running.interrupt();
    let ran = running.wait();
    assert_eq!(ran.code, Some(130), "{ran:#?}");
    assert!(ran.stdout.contains("the same command resumes the run"), "{ran:#?}");
    let processing = list(&*place.storage().await, JobFilter::state(StateName::Processing)).await;
    assert_eq!(processing, []);
    let resumed = place.run(&[]);
    assert_eq!(resumed.done(), "done: 33 succeeded, 0 failed, 0 deleted");
    assert!(resumed.stdout.contains("resuming it"), "{resumed:#?}");
}
