//! Server processes that are killed, frozen, and share their work: on every storage that several processes can use.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use jobs_runtime::{client::JobHandle, prelude::*, state::StateName, storage::Storage};
use jobs_tests::work::{Nap, Work};

/// The path of the worker program of these tests.
const WORKER: &str = env!("CARGO_BIN_EXE_worker");

/// A process that is killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(url: &str) -> Self {
        let mut child = Command::new(WORKER).arg(url).stdout(Stdio::piped()).spawn().expect("a worker");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        Self(child)
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

/// Elsewhere (rusty-sidekiq, Sidekiq) a crash lost the jobs that had been taken, and jobs of dead servers were
/// lost or run for ever. Here two processes at a time are killed again and again while thousands of jobs flow:
/// every job ends recorded once, none is lost, none is stuck.
pub(crate) async fn killed_processes_lose_nothing_and_record_nothing_twice(storage: Arc<dyn Storage>, url: &str) {
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

/// Waits until all jobs are done, each once, and prints how long that took.
pub(crate) async fn all_done_once(storage: &Arc<dyn Storage>, handles: &[JobHandle<u64>]) {
    let began = Instant::now();
    while storage.counts().await.expect("counted").unfinished() > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", storage.counts().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("all jobs were done {:?} after the last fault", began.elapsed());
    let mut lost = 0;
    for (n, handle) in (0..).zip(handles) {
        let details = handle.details().await.expect("read").expect("a job");
        let ends = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).count();
        assert_eq!((details.job.state, ends), (StateName::Succeeded, 1), "{details:#?}");
        assert_eq!(handle.wait(Duration::ZERO).await.expect("done"), n);
        lost += details.lost;
    }
    assert_eq!(storage.totals().await.expect("read").succeeded, handles.len() as u64);
    println!("{lost} runs were lost with their processes");
}

/// And each job is run by one of them.
pub(crate) async fn several_processes_share_the_work(storage: Arc<dyn Storage>, url: &str) {
    let client = Client::new(storage.clone());
    let processes = [Process::start(url), Process::start(url), Process::start(url)];
    assert_eq!(storage.servers().await.expect("read").len(), 3);
    let handles = client.enqueue_all((0..1_000).map(Work::new)).await.expect("stored");
    for (n, handle) in (0..).zip(&handles) {
        assert_eq!(handle.wait(Duration::from_secs(30)).await.expect("done"), n);
        let details = handle.details().await.expect("read").expect("a job");
        assert_eq!(details.history.len(), 3, "one run: {details:#?}");
    }
    drop(processes);
}

/// Elsewhere (graphile_worker, River) a stale worker completed the job that another one owned. A process that slept past
/// its heartbeat loses its job, and what it says of it when it wakes is refused.
pub(crate) async fn a_frozen_process_does_not_end_what_another_one_runs(storage: Arc<dyn Storage>, url: &str) {
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
    nap.wait(Duration::from_secs(30)).await.expect("done");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let details = nap.details().await.expect("read").expect("a job");
    let ends: Vec<_> = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).collect();
    assert_eq!((details.job.attempts, details.lost, ends.len()), (2, 1, 1), "{details:#?}");
    let last = details.history.iter().rev().find(|entry| entry.state == StateName::Processing).expect("a run");
    assert_ne!(last.data["server"], first.as_str(), "the other one ended it");
    // And it goes on as before.
    let handles = client.enqueue_all((0..200).map(Work::new)).await.expect("stored");
    for handle in &handles {
        handle.wait(Duration::from_secs(30)).await.expect("done");
    }
}

async fn until<T>(
    storage: &Arc<dyn Storage>,
    job: &JobHandle<T>,
    holds: impl Fn(&jobs_runtime::storage::JobDetails) -> bool,
) {
    for _ in 0..3_000 {
        if storage.job(job.id()).await.expect("read").as_ref().is_some_and(&holds) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:#?}", storage.job(job.id()).await);
}
