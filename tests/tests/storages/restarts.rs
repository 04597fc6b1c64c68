//! Database servers that are killed, stopped and started while they are in use.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jobs_runtime::{
    prelude::*,
    state::StateName,
    storage::{JobDetails, Storage},
};
use jobs_tests::{PrivateServer, on_each_private_server, work::Work};
use tokio::task::JoinSet;

use super::processes::{Process, all_details, until_done};

on_each_private_server! {
    // Two processes work, a client enqueues, and the database goes and comes back. What it acknowledged is done once.
    // What ended in an error may have been stored or not.
    async fn a_database_that_is_killed_and_restarted_under_load_loses_nothing(server: PrivateServer) {
        let place = server.place();
        let storage = place.open().await;
        let client = Client::new(storage.clone());
        let _workers = [(); 2].map(|()| Process::start(&place.url.to_string()));
        let mut sure: Vec<JobId> = Vec::new();
        for handle in client.enqueue_all((0..2_000).map(Work::new)).await.expect("stored") {
            sure.push(handle.id());
        }
        let load = Load::start(&client);
        for fault in ["killed", "restarted", "killed"] {
            load.until_it_flows().await;
            match fault {
                "killed" => {
                    server.kill().await;
                    server.start().await;
                }
                _ => server.restart().await,
            }
            let answers = Instant::now();
            until_one_more_is_done(&place.open().await).await;
            println!("{:?} after the database that was {fault} answered, the next job had ended", answers.elapsed());
        }
        load.until_it_flows().await;
        let Outcomes { stored, unknown } = load.end().await;
        println!("{} enqueues ended well, {} in an error", stored.len(), unknown.len());
        sure.extend(stored);
        let storage = place.open().await;
        until_done(&storage).await;
        for details in all_details(&storage, sure.iter().copied()).await {
            assert_succeeded_once(&details);
        }
        let mut done = sure.len() as u64;
        for id in unknown {
            if let Some(details) = storage.job(id).await.expect("read") {
                assert_succeeded_once(&details);
                done += 1;
            }
        }
        assert_eq!(storage.totals().await.expect("read").succeeded, done);
    }
}

fn assert_succeeded_once(details: &JobDetails) {
    let ends = details.history.iter().filter(|entry| entry.state == StateName::Succeeded).count();
    assert_eq!((details.job.state, ends), (StateName::Succeeded, 1), "{details:#?}");
}

async fn until_one_more_is_done(storage: &Arc<dyn Storage>) {
    let done = async || storage.totals().await.expect("read").succeeded;
    let (before, began) = (done().await, Instant::now());
    while done().await == before {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing ends any more");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Tasks that enqueue one job after the other.
struct Load {
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    next: AtomicU64,
    is_over: AtomicBool,
    outcomes: Mutex<Outcomes>,
}

#[derive(Default)]
struct Outcomes {
    stored: Vec<JobId>,
    unknown: Vec<JobId>,
}

impl Load {
    fn start(client: &Client) -> Self {
        let (shared, mut tasks) = (Arc::new(Shared::default()), JoinSet::new());
        for _ in 0..4 {
            tasks.spawn(enqueue(client.clone(), Arc::clone(&shared)));
        }
        Self { tasks, shared }
    }

    /// Waits until another hundred enqueues ended well.
    async fn until_it_flows(&self) {
        let stored = || self.shared.outcomes.lock().expect("no panic").stored.len();
        let (before, began) = (stored(), Instant::now());
        while stored() < before + 100 {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing is stored any more");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self) -> Outcomes {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        std::mem::take(&mut self.shared.outcomes.lock().expect("no panic"))
    }
}

async fn enqueue(client: Client, shared: Arc<Shared>) {
    while !shared.is_over.load(Ordering::Relaxed) {
        let id = JobId::generate(client.storage().clock().now());
        let n = shared.next.fetch_add(1, Ordering::Relaxed);
        let enqueued = Work::enqueue(n).id(id).with(&client).await;
        if let Err(error) = &enqueued {
            println!("{error}");
            assert!(matches!(error, EnqueueError::Storage(_)), "{error:?}");
        }
        let mut outcomes = shared.outcomes.lock().expect("no panic");
        if enqueued.is_ok() { outcomes.stored.push(id) } else { outcomes.unknown.push(id) }
    }
}
