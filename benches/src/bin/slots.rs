//! Measures how late jobs of schedules start on an idle server: `cargo run --release --bin slots -- [SLOTS]`.
//!
//! A schedule of every second on each storage; from the slot to the first line of the handler.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jobs_runtime::{
    Client, JobServer,
    job::{Data, Job, JobContext, JobError, JobName},
    schedule::ScheduleOptions,
    storage::connect,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Tick {}

/// By how many microseconds each slot was late.
#[derive(Default)]
struct Delays(Mutex<Vec<i64>>);

impl Job for Tick {
    type Output = ();
    const NAME: JobName = JobName::new("benches", "tick");

    async fn perform(self, cx: JobContext) -> Result<(), JobError> {
        let now = jobs_runtime::clock::Clock::system().now();
        let delays: Data<Delays> = cx.data().ok_or_else(|| JobError::permanent("no delays"))?;
        let slot = cx.slot().ok_or_else(|| JobError::permanent("no slot"))?;
        let late = (now - slot).num_microseconds().unwrap_or(i64::MAX);
        delays.0.lock().map_err(|error| JobError::permanent(error.to_string()))?.push(late);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let slots: usize = std::env::args().nth(1).map_or(Ok(20), |slots| slots.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    for url in ["memory:".to_owned(), format!("sqlite://{}/slots.db", folder.path().display())] {
        let client = Client::new(connect(&url).await?);
        let delays = Arc::new(Delays::default());
        let server = JobServer::builder(client.storage().clone()).register::<Tick>().shared_data(delays.clone());
        let server = server.start().await?;
        client.recurring().add_or_update("tick", Tick {}, "@every_second", ScheduleOptions::new()).await?;
        let count = || delays.0.lock().map_or(0, |delays| delays.len());
        // The first slot is that of the second in which the schedule was added.
        while count() <= slots {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.shutdown(Duration::from_secs(5)).await?;
        let mut late = delays.0.lock().map_err(|error| error.to_string())?.split_off(1);
        late.sort_unstable();
        let shown = [late[0], late[late.len() / 2], late[late.len() - 1]].map(|micros| micros as f64 / 1_000.0);
        let name = url.split(':').next().unwrap_or_default();
        println!("{name:8} {} slots, late by {:.2} to {:.2} ms, median {:.2} ms", late.len(), shown[0], shown[2], shown[1]);
    }
    Ok(())
}
