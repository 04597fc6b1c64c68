//! Processes that are killed at any point: each job has its effect exactly once.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use jobs_runtime::{prelude::*, state::StateName};

use super::{Effect, site::run};

/// A worker process, which is killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(url: &str) -> Self {
        let mut worker = Command::new(env!("CARGO_BIN_EXE_worker"));
        let mut child = worker.arg(url).stdout(Stdio::piped()).spawn().expect("a worker");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(line.starts_with("ready"), "{line:?}");
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // On Unix this is SIGKILL.
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }
}

/// The table has no key that would refuse a second row.
#[test]
fn processes_that_are_killed_leave_each_effect_once() {
    const JOBS: u64 = 600;
    run(async |site| {
        // The clock of those processes is the real one.
        let storage = jobs_runtime::storage::connect(&site.url).await.expect("opened");
        let client = Client::new(storage.clone());
        let random =
            |below: u64| u64::from(std::time::SystemTime::UNIX_EPOCH.elapsed().expect("now").subsec_nanos()) % below;
        let mut processes = vec![Process::start(&site.url), Process::start(&site.url)];
        let table = &site.table.0;
        for round in 0..6 {
            let jobs = (round * JOBS / 6..(round + 1) * JOBS / 6).map(|n| Effect::new(table.as_str(), n));
            client.enqueue_all(jobs).await.expect("stored");
            tokio::time::sleep(Duration::from_millis(30 + random(150))).await;
            processes.remove(0);
            processes.push(Process::start(&site.url));
        }
        let began = Instant::now();
        while storage.counts().await.expect("counted").unfinished() > 0 {
            assert!(began.elapsed() < Duration::from_secs(150), "{:?}", storage.counts().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(site.effects().await, (0..JOBS as i64).collect::<Vec<i64>>());
        // Each has stored one other job in its transaction.
        let counts = storage.counts().await.expect("counted");
        assert_eq!(counts.of(StateName::Succeeded).value, 2 * JOBS);
        assert_eq!(storage.totals().await.expect("read").succeeded, 2 * JOBS);
        drop(processes);
        storage.close().await;
    });
}
