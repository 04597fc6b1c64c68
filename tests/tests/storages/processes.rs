//! Server processes that are killed, frozen, and share their work: on every storage that several processes can use.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use jobs_runtime::{
    client::JobHandle,
    prelude::*,
    state::StateName,
    storage::{JobDetails, Storage},
};
use jobs_tests::{
    Place, on_each_engine,
    work::{Nap, Work},
};

/// The path of the worker program of these tests.
const WORKER: &str = env!("CARGO_BIN_EXE_worker");

/// A process that is killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(url: &str) -> Self {
        Self::start_in(url, &[]).0
    }

    /// Starts it in an environment; returns also what it takes for the time, in seconds since 1970.
    pub(crate) fn start_in(url: &str, environment: &[(&str, &str)]) -> (Self, i64) {
        let mut command = Command::new(WORKER);
        command.arg(url).envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut process = Self(command.spawn().expect("a worker"));
        let mut line = String::new();
        let stdout = process.0.stdout.as_mut().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let time = line.strip_prefix("ready ").and_then(|time| time.trim_end().parse().ok());
        (process, time.unwrap_or_else(|| panic!("the worker says `{line}`")))
    }

    /// Stops it, or lets it go on.
    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.0.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // On Unix this is SIGKILL.
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }
}

on_each_engine! {
    async fn processes_that_are_killed_lose_nothing_and_record_nothing_twice(place: Place) {
        let storage = place.open().await;
        kill_again_and_again(storage.clone(), &place.url.to_string()).await;
        storage.close().await;
    }

    async fn several_processes_share_one_place(place: Place) {
        let storage = place.open().await;
        share_the_work(storage.clone(), &place.url.to_string()).await;
        storage.close().await;
    }

    async fn a_frozen_process_does_not_end_what_another_one_runs(place: Place) {
        let storage = place.open().await;
        freeze_and_wake_up(storage.clone(), &place.url.to_string()).await;
        storage.close().await;
    }
}

/// Elsewhere (rusty-sidekiq, Sidekiq) a crash lost the jobs that had been taken, and jobs of dead servers were
/// lost or run for ever. Here two processes at a time are killed again and again while thousands of jobs flow:
/// every job ends recorded once, none is lost, none is stuck.
pub(crate) async fn kill_again_and_again(storage: Arc<dyn Storage>, url: &str) {
    const JOBS: u64 = 4_000;
    let client = Client::new(storage.clone());
    let mut handles: Vec<JobHandle<u64>> = client.enqueue_all((0..JOBS / 2).map(Work::new)).await.expect("stored");
    let random =
        |below: u64| u64::from(std::time::SystemTime::UNIX_EPOCH.elapsed().expect("now").subsec_nanos()) % below;
    let mut processes = vec![Process::start(url), Process::start(url)];
    for n in 0..10 {
        for n in n * JOBS / 20..(n + 1) * JOBS / 20 {
            handles.push(Work::enqueue(JOBS / 2 + n).with(&client).await.expect("stored"));
        }
        tokio::time::sleep(Duration::from_millis(20 + random(80))).await;
        processes.remove(0);
        processes.push(Process::start(url));
    }
    all_done_once(&storage, &handles).await;
    drop(processes);
}

/// Waits until all jobs are done, and looks whether each is done once. It looks through `storage`, whatever the
/// handles were made with.
pub(crate) async fn all_done_once(storage: &Arc<dyn Storage>, handles: &[JobHandle<u64>]) {
    until_done(storage).await;
    let mut lost = 0;
    for details in all_details(storage, handles.iter().map(JobHandle::id)).await {
        let ends = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).count();
        assert_eq!((details.job.state, ends), (StateName::Succeeded, 1), "{details:#?}");
        assert_eq!(details.job.arguments, format!(r#"{{"n":{}}}"#, details.result.as_deref().expect("a result")));
        lost += details.lost;
    }
    assert_eq!(storage.totals().await.expect("read").succeeded, handles.len() as u64);
    println!("{lost} runs were lost with their processes");
}

/// Waits until all jobs are done, and prints how long that took.
pub(crate) async fn until_done(storage: &Arc<dyn Storage>) {
    let began = Instant::now();
    while storage.counts().await.expect("counted").unfinished() > 0 {
        assert!(began.elapsed() < Duration::from_secs(150), "{:?}", storage.counts().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("all jobs were done {:?} after the last fault", began.elapsed());
}

/// All that is known of many jobs, in any order.
pub(crate) async fn all_details(storage: &Arc<dyn Storage>, ids: impl IntoIterator<Item = JobId>) -> Vec<JobDetails> {
    let ids: Vec<JobId> = ids.into_iter().collect();
    let mut reading = tokio::task::JoinSet::new();
    for piece in ids.chunks(ids.len().div_ceil(4).max(1)) {
        let (storage, piece) = (storage.clone(), piece.to_vec());
        reading.spawn(async move {
            let mut details = Vec::with_capacity(piece.len());
            for id in piece {
                details.push(storage.job(id).await.expect("read").expect("a job"));
            }
            details
        });
    }
    reading.join_all().await.concat()
}

/// And each job is run by one of them.
pub(crate) async fn share_the_work(storage: Arc<dyn Storage>, url: &str) {
    let client = Client::new(storage.clone());
    let processes = [Process::start(url), Process::start(url), Process::start(url)];
    assert_eq!(storage.servers().await.expect("read").len(), 3);
    let handles = client.enqueue_all((0..1_000).map(Work::new)).await.expect("stored");
    all_done_once(&storage, &handles).await;
    for details in all_details(&storage, handles.iter().map(JobHandle::id)).await {
        assert_eq!(details.history.len(), 3, "one run: {details:#?}");
    }
    drop(processes);
}

/// Elsewhere (graphile_worker, River) a stale worker completed the job that another one owned. A process that slept past
/// its heartbeat loses its job, and what it says of it when it wakes is refused.
pub(crate) async fn freeze_and_wake_up(storage: Arc<dyn Storage>, url: &str) {
    let client = Client::new(storage.clone());
    let frozen = Process::start(url);
    let nap = Nap::enqueue(1_500).with(&client).await.expect("stored");
    until(&storage, &nap, |details| details.job.state == StateName::Processing).await;
    let first = storage.servers().await.expect("read").pop().expect("a server").server.id;
    frozen.signal("-STOP");
    let _other = Process::start(url);
    until(&storage, &nap, |details| details.lost == 1 && details.job.state == StateName::Processing).await;
    // Its nap is over when it wakes, and its outcome comes too late.
    frozen.signal("-CONT");
    nap.wait(Duration::from_secs(90)).await.expect("done");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let details = nap.details().await.expect("read").expect("a job");
    let ends: Vec<_> = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).collect();
    assert_eq!((details.job.attempts, details.lost, ends.len()), (2, 1, 1), "{details:#?}");
    let last = details.history.iter().rev().find(|entry| entry.state == StateName::Processing).expect("a run");
    assert_ne!(last.data["server"], first.as_str(), "the other one ended it");
    // And it goes on as before.
    let handles = client.enqueue_all((0..200).map(Work::new)).await.expect("stored");
    for handle in &handles {
        handle.wait(Duration::from_secs(90)).await.expect("done");
    }
}

/// Waits until something holds for a job.
pub(crate) async fn until<T>(storage: &Arc<dyn Storage>, job: &JobHandle<T>, holds: impl Fn(&JobDetails) -> bool) {
    for _ in 0..12_000 {
        if storage.job(job.id()).await.expect("read").as_ref().is_some_and(&holds) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:#?}", storage.job(job.id()).await);
}
