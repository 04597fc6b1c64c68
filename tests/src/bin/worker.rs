//! A server process for tests that kill it: `worker URL`. It runs until it is killed.

use std::{error::Error, time::Duration};

use jobs_runtime::{JobServer, clock::Clock, storage};
use jobs_tests::work::{EffectMySql, EffectPostgres, EffectSqlite, Nap, PutOff, Stumble, Work};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: worker URL")?;
    let storage = storage::connect(&url).await?;
    let server = JobServer::builder(storage)
        .discover(false)
        .register::<Work>()
        .register::<Nap>()
        .register::<PutOff>()
        .register::<Stumble>();
    // A transaction is one of the database in which the jobs are.
    let server = match url.split(':').next() {
        Some("sqlite") => server.register::<EffectSqlite>(),
        Some("mysql" | "mariadb") => server.register::<EffectMySql>(),
        _ => server.register::<EffectPostgres>(),
    };
    let server = server
        .workers(5)
        .heartbeat_interval(Duration::from_millis(200))
        .server_timeout(Duration::from_secs(1))
        // Jobs that are only unlucky are not to fail in a test that kills this process again and again.
        .max_lost_runs(1_000)
        .start()
        .await?;
    // And the time that the process believes it is.
    println!("ready {}", Clock::system().now().timestamp());
    server.run_until_signal().await?;
    Ok(())
}
