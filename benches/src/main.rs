//! Measures how fast jobs are stored and run: `cargo run --release -- [STORAGE] [JOBS] [WORKERS]`.
//!
//! STORAGE is `memory`, `sqlite` or `sqlite-normal` (all, if none is named), or the URL of a PostgreSQL or MySQL
//! database, which gets tables of its own. Three rounds each; the median counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jobs_runtime::{
    Client, JobServer,
    job::{Data, Job, JobContext, JobError, JobName},
    storage::{Storage, connect},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Nothing {
    number: u64,
}

impl Job for Nothing {
    type Output = ();
    const NAME: JobName = JobName::new("benches", "nothing");

    async fn perform(self, cx: JobContext) -> Result<(), JobError> {
        let done: Data<AtomicUsize> = cx.data().ok_or_else(|| JobError::permanent("no counter"))?;
        done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let only = arguments.next();
    let jobs: usize = arguments.next().map_or(Ok(100_000), |jobs| jobs.parse())?;
    let workers: usize = arguments.next().map_or(Ok(20), |workers| workers.parse())?;
    let all = ["memory", "sqlite", "sqlite-normal"];
    let chosen = only.as_deref().map_or_else(|| all.to_vec(), |only| vec![only]);
    for name in chosen {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(round(name, jobs, workers).await?);
        }
        for (measurement, index) in [("bulk enqueue", 0), ("drain", 1), ("enqueue, 1 task", 2), ("enqueue, 16 tasks", 3)] {
            let mut rates: Vec<f64> = rounds.iter().map(|rates| rates[index]).collect();
            rates.sort_by(f64::total_cmp);
            println!(
                "{:14} {measurement:18} {:9.0} jobs/s (from {:.0} to {:.0}; {jobs} jobs, {workers} workers)",
                name.split(':').next().unwrap_or_default(), rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]
            );
        }
    }
    Ok(())
}

async fn round(name: &str, jobs: usize, workers: usize) -> Result<[f64; 4], Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir_in(".")?;
    // Tables of its own for each round.
    static ROUND: AtomicUsize = AtomicUsize::new(0);
    let unique = format!("{}_{}", std::process::id(), ROUND.fetch_add(1, Ordering::Relaxed));
    let url = match name {
        "memory" => "memory:".to_owned(),
        url if url.starts_with("postgres") => format!("{url}?schema=bench_{unique}"),
        url if url.starts_with("mysql") => format!("{url}?table_prefix=bench_{unique}_"),
        "sqlite" => format!("sqlite://{}/bench.db", folder.path().display()),
        _ => format!("sqlite://{}/bench.db?synchronous=normal", folder.path().display()),
    };
    let storage = connect(&url).await?;
    let client = Client::new(storage.clone());
    let start = Instant::now();
    for first in (0..jobs).step_by(1_000) {
        let numbers = first..jobs.min(first + 1_000);
        client.enqueue_all(numbers.map(|number| Nothing { number: number as u64 })).await?;
    }
    let bulk = jobs as f64 / start.elapsed().as_secs_f64();
    let drain = drain(storage.clone(), jobs, workers).await?;
    let single = single(&client, 1, jobs / 20).await?;
    let tasks = single_tasks(&client, jobs / 5).await?;
    storage.close().await;
    Ok([bulk, drain, single, tasks])
}

async fn drain(storage: Arc<dyn Storage>, jobs: usize, workers: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let server = JobServer::builder(storage.clone())
        .register::<Nothing>()
        .shared_data(done.clone())
        .workers(workers)
        .start()
        .await?;
    while (storage.totals().await?.succeeded as usize) < jobs {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let rate = jobs as f64 / start.elapsed().as_secs_f64();
    server.shutdown(Duration::from_secs(5)).await?;
    assert_eq!(done.load(Ordering::Relaxed), jobs, "every job ran once");
    Ok(rate)
}

async fn single(client: &Client, task: u64, jobs: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let start = Instant::now();
    for number in 0..jobs {
        client.enqueue(Nothing { number: task * 1_000_000 + number as u64 }).await?;
    }
    Ok(jobs as f64 / start.elapsed().as_secs_f64())
}

async fn single_tasks(client: &Client, jobs: usize) -> Result<f64, Box<dyn std::error::Error>> {
    const TASKS: u64 = 16;
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move { single(&client, task, jobs / 16).await.map(drop).map_err(|e| e.to_string()) })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(jobs as f64 / start.elapsed().as_secs_f64())
}
