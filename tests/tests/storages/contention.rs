//! Many who move the same jobs at the same time, and one with many workers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jobs_runtime::{
    client::ChangeError,
    clock::before,
    job::{Failure, QueueName},
    prelude::*,
    state::{Attempts, Deleted, Enqueued, Failed, Scheduled, State, StateName, Succeeded, Transition},
    storage::{
        Change, Claim, ClaimedJob, Finish, JobDetails, JobFilter, Monitor as _, PageRequest, Recorded, Rescue,
        ServerId, ServerRecord, Storage, connect,
    },
};
use jobs_tests::{Engine, Faulty, Place, Random, on_each_engine, work::Work};
use tokio::task::JoinSet;

use super::processes::all_details;

const TASKS: u64 = 8;

on_each_engine! {
    // Elsewhere (Solid Queue #162, #229, #531, #609) locks that were taken in different orders ended in deadlocks. Here
    // eight tasks on two handles do all that can be done to the same jobs, alone and many at once, in any order: no
    // error comes out, and each job is in one state, to which its history leads.
    async fn moving_the_same_jobs_in_any_order_ends_in_no_error(place: Place) {
        let handles = [place.open().await, place.open().await];
        let jobs = Client::new(handles[0].clone()).enqueue_all((0..120).map(Work::new)).await.expect("stored");
        let jobs = Arc::new(Mutex::new(jobs.iter().map(|job| job.id()).collect::<Vec<_>>()));
        let successes = Arc::new(AtomicU64::new(0));
        let rounds = match place.engine {
            Engine::MySql => 60,
            // It looks for a deadlock only after a second.
            Engine::Postgres => 25,
        };
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let storage = handles[task as usize % 2].clone();
            let client = Client::new(storage.clone());
            let (jobs, successes, random) = (jobs.clone(), successes.clone(), Random::new(task * 2));
            let mover = Mover { storage, client, jobs, successes, random, server: ServerId::new(format!("{}", task % 3)) };
            tasks.spawn(async move {
                for _ in 0..rounds {
                    mover.move_something().await;
                }
            });
        }
        tasks.join_all().await;
        let [storage, _] = handles;
        let listed = states_of_all(&storage).await;
        let jobs = jobs.lock().expect("no panic").clone();
        assert_eq!(listed.len(), jobs.len());
        for details in all_details(&storage, jobs).await {
            assert_eq!(listed[&details.job.id], details.job.state);
            assert_leads_to_its_state(&details);
        }
        let succeeded = storage.totals().await.expect("read").succeeded;
        let answered = successes.load(Ordering::Relaxed);
        match place.engine {
            Engine::MySql => assert_eq!(succeeded, answered),
            // Of a batch that is recorded in part, a success that someone has moved on since is answered as refused.
            Engine::Postgres => assert!(succeeded >= answered, "{succeeded} recorded, {answered} answered"),
        }
        println!("{} jobs, {succeeded} successes", listed.len());
    }

    // Elsewhere (pgmq) hundreds of readers, each of which took one job, were slower than a few. Here one process takes
    // many at once, on few connections, however many workers it has.
    async fn a_process_has_few_connections_and_claims_many_jobs_at_once(place: Place) {
        const JOBS: u64 = 3_000;
        let url = place.url.clone().with("max_connections", "6").to_string();
        let storage = Faulty::new(connect(&url).await.expect("opened"), 1);
        let client = Client::new(storage.clone());
        client.enqueue_all((0..JOBS).map(Work::new)).await.expect("stored");
        let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().workers(256);
        let server = server.start().await.expect("started");
        let mut sql = place.sql().await;
        let connected = match place.engine {
            Engine::MySql => "SELECT count(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND",
            Engine::Postgres => "SELECT count(*) FROM pg_stat_activity WHERE",
        };
        let (connected, mut most) = (format!("{connected} {}", place.is_connected()), 0);
        while storage.totals().await.expect("read").succeeded < JOBS {
            most = most.max(sql.number(&connected).await);
        }
        println!("{most} connections, {} claims of {JOBS} jobs", storage.claims());
        // And one that listens.
        assert!((1..=7).contains(&most), "{most}");
        assert!(storage.claims() < JOBS / 10, "{}", storage.claims());
        server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    }
}

/// One of those who move jobs. Some of them say that they are the same server.
struct Mover {
    storage: Arc<dyn Storage>,
    client: Client,
    jobs: Arc<Mutex<Vec<JobId>>>,
    successes: Arc<AtomicU64>,
    random: Random,
    server: ServerId,
}

impl Mover {
    async fn move_something(&self) {
        let now = self.storage.clock().now();
        let hour = Duration::from_secs(3_600);
        match self.random.below(10) {
            0 => self.enqueue().await,
            1 => self.expect_moved(self.client.delete(self.one()).await),
            2 => self.expect_moved(self.client.requeue(self.one()).await),
            3 => self.expect_moved(self.client.reschedule(self.one(), now + hour).await),
            4 | 5 => self.change_many().await,
            6 => {
                let rescue = Rescue { silent_since: before(now, Duration::from_millis(50)), max_lost: 100, limit: 20 };
                self.storage.rescue(rescue).await.expect("rescued");
            }
            7 => {
                self.storage.promote(20).await.expect("promoted");
                let queues = vec![QueueName::DEFAULT];
                let record = ServerRecord { id: self.server.clone(), started_at: now, queues, workers: 1 };
                self.storage.heartbeat(&record).await.expect("beaten");
            }
            _ => self.run_some().await,
        }
    }

    fn one(&self) -> JobId {
        let jobs = self.jobs.lock().expect("no panic");
        jobs[self.random.below(jobs.len() as u64) as usize]
    }

    fn expect_moved(&self, moved: Result<(), ChangeError>) {
        assert!(matches!(moved, Ok(()) | Err(ChangeError::Refused { .. })), "{moved:?}");
    }

    /// Often such as await another.
    async fn enqueue(&self) {
        let new = self.client.enqueue(Work::new(1));
        let new = if self.random.below(2) == 0 { new.after(self.one()) } else { new };
        let job = new.await.expect("stored").id();
        self.jobs.lock().expect("no panic").push(job);
    }

    async fn change_many(&self) {
        let changes = (0..3).map(|_| {
            let transition = self.transition();
            Change { job: self.one(), from: transition.to.name().previous(), transition }
        });
        self.storage.change(changes.collect()).await.expect("changed");
    }

    fn transition(&self) -> Transition {
        let now = self.storage.clock().now();
        let failure = Failure::new("suite::Error", "no route");
        let to: State = match self.random.below(4) {
            0 => Deleted {}.into(),
            1 => Scheduled { at: now }.into(),
            2 => Failed { failure }.into(),
            _ => Enqueued {}.into(),
        };
        Transition::new(to, now)
    }

    /// Claims jobs and ends them, not in the order in which it got them.
    async fn run_some(&self) {
        let claim = Claim { server: self.server.clone(), queues: [QueueName::DEFAULT].into(), limit: 4 };
        let mut claimed = self.storage.claim(claim).await.expect("claimed");
        claimed.sort_by_key(|_| self.random.below(1_000));
        let finish = |job: &ClaimedJob| {
            let result = serde_json::value::to_raw_value(&1).expect("JSON");
            let success = Succeeded { result, duration: Duration::from_millis(1) };
            let success = Transition::new(success, self.storage.clock().now());
            let is_success = self.random.below(2) == 0;
            let transition = if is_success { success } else { self.transition().attempts(Attempts::Spend) };
            Finish { job: job.id, token: job.token, transition }
        };
        let batch: Vec<Finish> = claimed.iter().map(finish).collect();
        let recorded = self.storage.finish(batch.clone()).await.expect("finished");
        let is_success = |(finish, recorded): &(&Finish, &Recorded)| {
            finish.transition.to.name() == StateName::Succeeded && **recorded == Recorded::Stored
        };
        let successes = batch.iter().zip(&recorded).filter(is_success).count();
        self.successes.fetch_add(successes as u64, Ordering::Relaxed);
    }
}

/// The state of each job, by the lists of the states: in none of them is one that is in another.
async fn states_of_all(storage: &Arc<dyn Storage>) -> HashMap<JobId, StateName> {
    let mut states = HashMap::new();
    for state in StateName::ALL {
        let page = storage.jobs(&JobFilter::state(state), &PageRequest::first(1_000)).await.expect("read");
        assert_eq!(page.next, None);
        assert_eq!(storage.counts().await.expect("counted").of(state).value, page.jobs.len() as u64, "{state}");
        for job in page.jobs {
            assert_eq!(states.insert(job.id, state), None, "{job:?}");
        }
    }
    states
}

fn assert_leads_to_its_state(details: &JobDetails) {
    let states: Vec<StateName> = details.history.iter().map(|entry| entry.state).collect();
    assert!(states.windows(2).all(|pair| pair[0].next().contains(pair[1])), "{details:#?}");
    assert_eq!(states.last(), Some(&details.job.state), "{details:#?}");
}
