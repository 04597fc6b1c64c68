//! Very many jobs: what is read for a page, or for one more job, does not grow with them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jobs_runtime::{
    job::{Invocation, JobName, QueueName},
    prelude::*,
    state::{StateName, Succeeded, Transition},
    storage::{
        Claim, ClaimedJob, Count, Finish, Initial, JobFilter, NewJob, PageRequest, Recorded, Rescue, ServerId,
        ServerRecord, Storage, connect,
    },
};
use jobs_tests::{Engine, Place, PrivateServer, on_each_private_server};

const PAGE: usize = 1_000;

on_each_private_server! {
    // Elsewhere (apalis-redis) ten thousand were too many for one script. Here no verb has too many for one statement:
    // MySQL's have no more than 65,535 parameters.
    async fn any_number_can_be_moved_at_once(server: PrivateServer) {
        const JOBS: usize = 70_000;
        let storage = server.place().open().await;
        let ids = store(&storage, JOBS, Initial::Enqueued).await;
        assert_eq!(storage.states(&ids).await.expect("read").len(), JOBS);
        let claimed = claim(&storage, QueueName::DEFAULT, JOBS).await;
        assert_eq!(claimed.len(), JOBS);
        let held: Vec<_> = claimed.iter().map(|job| (job.id, job.token)).collect();
        assert!(storage.revoked(held).await.expect("asked").is_empty());
    }

    // Elsewhere (Hangfire #1733, River UI #106) pages of millions of jobs timed out.
    async fn a_page_costs_the_same_wherever_it_is(server: PrivateServer) {
        const JOBS: usize = 100_000;
        let place = server.place();
        let storage = place.open().await;
        store(&storage, JOBS / 2, Initial::Enqueued).await;
        let in_an_hour = storage.clock().now() + HOUR;
        store(&storage, JOBS / 2, Initial::Scheduled(in_an_hour)).await;
        let counts = storage.counts().await.expect("counted");
        assert_eq!(counts.of(StateName::Enqueued), Count { value: Count::CAP, capped: true });
        let (waiting, due) = (JobFilter::state(StateName::Enqueued), JobFilter::state(StateName::Scheduled));
        let mut lists = Vec::new();
        for (filter, pages) in [(JobFilter::all(), JOBS / PAGE), (waiting, 20), (due, 20)] {
            let cursors = cursors(&storage, &filter, pages).await;
            lists.push((filter, cursors));
        }
        close(storage).await;
        for (filter, cursors) in lists {
            for cursor in [0, cursors.len() / 2, cursors.len() - 1] {
                let page = PageRequest { limit: PAGE, after: cursors[cursor].clone() };
                let read = rows_read(&place, async |storage| {
                    assert_eq!(storage.jobs(&filter, &page).await.expect("read").jobs.len(), PAGE);
                }).await;
                println!("{read} rows for page {cursor} of {:?}", filter.state);
                assert!((PAGE as i64..10 * PAGE as i64).contains(&read), "{read} rows for page {cursor} of {filter:?}");
            }
        }
        let read = rows_read(&place, async |storage| {
            storage.counts().await.expect("counted");
        }).await;
        println!("{read} rows for the counts");
        assert!((Count::CAP as i64..JOBS as i64).contains(&read), "{read}");
        // It sees who reads everything.
        let all = format!("SELECT count(*) FROM {} WHERE arguments <> ''", place.table("job"));
        let read = rows_read(&place, async |_| {
            assert_eq!(place.theirs().await.number(&all).await, JOBS as i64);
        }).await;
        assert!(read >= JOBS as i64, "{read}");
    }

    // Elsewhere (pg-boss #228, Oban, River #746) what had been done long ago was scanned for what is to be done now.
    async fn a_job_costs_the_same_however_many_are_kept(server: PrivateServer) {
        const JOBS: usize = 20_000;
        let place = server.place();
        let storage = place.open().await;
        store(&storage, 2 * JOBS, Initial::Enqueued).await;
        succeed(&storage, &claim(&storage, QueueName::DEFAULT, JOBS).await).await;
        let in_an_hour = storage.clock().now() + HOUR;
        store(&storage, JOBS, Initial::Scheduled(in_an_hour)).await;
        close(storage).await;
        if place.engine == Engine::Postgres {
            // As it does by itself, sooner or later.
            place.sql().await.run("VACUUM").await;
        }
        let read = rows_read(&place, async |storage| {
            for _ in 0..10 {
                run_one_among_others(storage).await;
            }
        }).await;
        println!("{read} rows for ten jobs");
        assert!(read < JOBS as i64 / 10, "{read}");
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// What a server does all the time, and what it does for one job.
async fn run_one_among_others(storage: &Arc<dyn Storage>) {
    let queue = QueueName::new("hot").expect("a name");
    let mut job = new_job(storage, Initial::Enqueued);
    job.queue = queue.clone();
    storage.enqueue(vec![job]).await.expect("stored");
    let claimed = claim(storage, queue, 1).await;
    storage.promote(1_000).await.expect("promoted");
    let held = storage.heartbeat(&record(storage)).await.expect("beaten");
    storage.revoked(held).await.expect("asked");
    let silent_since = storage.clock().now() - Duration::from_secs(15);
    storage.rescue(Rescue { silent_since, max_lost: 3, limit: 500 }).await.expect("rescued");
    storage.expire(1_000).await.expect("expired");
    storage.due_schedules(None, 100).await.expect("read");
    succeed(storage, &claimed).await;
}

fn new_job(storage: &Arc<dyn Storage>, initial: Initial) -> NewJob {
    let now = storage.clock().now();
    let invocation = Invocation::new(JobName::new("suite", "many"), &()).expect("JSON");
    let mut job = NewJob::new(JobId::generate(now), invocation, now);
    job.initial = initial;
    job
}

/// Stores very many jobs.
async fn store(storage: &Arc<dyn Storage>, count: usize, initial: Initial) -> Vec<JobId> {
    let jobs: Vec<NewJob> = (0..count).map(|_| new_job(storage, initial)).collect();
    for piece in jobs.chunks(10_000) {
        storage.enqueue(piece.to_vec()).await.expect("stored");
    }
    jobs.iter().map(|job| job.id).collect()
}

async fn claim(storage: &Arc<dyn Storage>, queue: QueueName, limit: usize) -> Vec<ClaimedJob> {
    let claim = Claim { server: ServerId::new("worker"), queues: [queue].into(), limit };
    storage.claim(claim).await.expect("claimed")
}

async fn succeed(storage: &Arc<dyn Storage>, claimed: &[ClaimedJob]) {
    let result = serde_json::value::to_raw_value(&1).expect("JSON");
    let to = Succeeded { result, duration: Duration::from_millis(1) };
    let now = storage.clock().now();
    let finish =
        |job: &ClaimedJob| Finish { job: job.id, token: job.token, transition: Transition::new(to.clone(), now) };
    let recorded = storage.finish(claimed.iter().map(finish).collect()).await.expect("finished");
    assert!(recorded.iter().all(|recorded| *recorded == Recorded::Stored));
}

fn record(storage: &Arc<dyn Storage>) -> ServerRecord {
    let (id, started_at) = (ServerId::new("worker"), storage.clock().now());
    ServerRecord { id, started_at, queues: vec![QueueName::DEFAULT], workers: 1 }
}

/// Where the first pages of a list begin. No job is on two of them, and if these are all, each is on one.
async fn cursors(storage: &Arc<dyn Storage>, filter: &JobFilter, pages: usize) -> Vec<Option<String>> {
    let (mut cursors, mut seen) = (vec![None], HashSet::new());
    while cursors.len() <= pages {
        let page = PageRequest { limit: PAGE, after: cursors.last().cloned().flatten() };
        let found = storage.jobs(filter, &page).await.expect("read");
        assert!(found.jobs.iter().all(|job| seen.insert(job.id)), "a job is on two pages");
        cursors.push(found.next);
    }
    assert_eq!(seen.len(), pages * PAGE);
    cursors.pop();
    cursors
}

/// How many rows and entries of indexes the server reads for something that is asked through a new storage.
async fn rows_read(place: &Place, ask: impl AsyncFnOnce(&Arc<dyn Storage>)) -> i64 {
    let before = rows_read_so_far(place).await;
    let storage = connect(&place.url.to_string()).await.expect("opened");
    ask(&storage).await;
    close(storage).await;
    rows_read_so_far(place).await - before
}

/// All its connections, also the one that listens.
async fn close(storage: Arc<dyn Storage>) {
    storage.close().await;
    drop(storage);
}

/// Since the server was started: there is nobody else on it.
async fn rows_read_so_far(place: &Place) -> i64 {
    let mut sql = place.sql().await;
    match place.engine {
        Engine::MySql => {
            let read = sql.texts("SHOW GLOBAL STATUS LIKE 'Handler_read%'").await;
            read.iter().map(|read| read.parse::<i64>().expect("a number")).sum()
        }
        Engine::Postgres => {
            // A connection tells what it read when it ends.
            let left = format!("SELECT count(*) FROM pg_stat_activity WHERE {}", place.is_connected());
            while sql.number(&left).await > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            sql.number(
                "SELECT ((SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
                       + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes))::int8",
            )
            .await
        }
    }
}
