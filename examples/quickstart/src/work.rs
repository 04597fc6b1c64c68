use std::{path::Path, time::Duration};

use indicatif::MultiProgress;
use jobs_runtime::{
    prelude::*,
    storage::{Retention, sqlite::SqliteOptions},
};

use crate::{
    arguments::Arguments,
    folder::Folder,
    jobs::{Pace, Report},
    progress::Progress,
    run::Run,
    summary,
    tally::Tally,
};

/// How the program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    Reported,
    Interrupted,
}

/// Finishes the run that was interrupted, or else makes a new one over `folder`.
pub(crate) async fn work(arguments: &Arguments, folder: Folder, screen: &MultiProgress) -> anyhow::Result<Ended> {
    let client = Client::new(storage(&arguments.database).open().await?);
    let (run, ended) = match Run::find_unfinished(&client).await? {
        Some(run) => resumed(run, &client, &folder, &arguments.database).await?,
        None => (new_run(&client, &folder, &arguments.database).await?, 0),
    };
    let mut progress = Progress::new(run.jobs, ended, client.monitor(), screen).await?;
    let server = server(&client, arguments).start().await?;
    let report = tokio::select! {
        report = report(&run, &client, &mut progress) => Some(report),
        signal = tokio::signal::ctrl_c() => { signal?; None }
    };
    progress.close();
    server.shutdown(Duration::from_secs(2)).await?;
    let ended = conclude(&run, report, &client).await;
    client.storage().close().await;
    ended
}

/// Results are kept long, because a run may be resumed long after it was interrupted.
fn storage(database: &Path) -> SqliteOptions {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let retention = Retention::DEFAULT.succeeded(YEAR).deleted(YEAR);
    // A large folder is stored in one step, which may take longer than the usual half a minute.
    SqliteOptions::new(database).retention(retention).transaction_timeout(Duration::from_secs(600))
}

async fn new_run(client: &Client, folder: &Folder, database: &Path) -> anyhow::Result<Run> {
    let (walked, left_out) = (folder.clone(), database.to_owned());
    let files = tokio::task::spawn_blocking(move || walked.files(&left_out)).await??;
    let run = Run::store(client, folder, files).await?;
    println!("new run over {}: {} jobs are stored in {}", run.folder.display(), run.jobs, database.display());
    Ok(run)
}

/// The run, and how many of its jobs have ended.
async fn resumed(run: Run, client: &Client, folder: &Folder, database: &Path) -> anyhow::Result<(Run, u64)> {
    let ended = Tally::of(run.id, client.monitor()).await?.ended();
    println!("an unfinished run of {} over {} is in {}", run.id, run.folder.display(), database.display());
    println!("resuming it: {ended} of {} jobs have ended, {} are left", run.jobs, run.jobs.saturating_sub(ended));
    if run.folder != folder.path() {
        println!("that run comes first; start the same command again to read {}", folder.path().display());
    }
    Ok((run, ended))
}

/// With a short silence after which a server counts as dead, so that what a killed process ran is soon run again.
/// And without an end to how often that may happen to a job: who tries this out kills the process, not the job.
fn server(client: &Client, arguments: &Arguments) -> jobs_runtime::server::JobServerBuilder {
    JobServer::builder(client.storage().clone())
        .data(Pace(arguments.slow))
        .queues(["default", "files", "report"])
        .heartbeat_interval(Duration::from_millis(500))
        .server_timeout(Duration::from_secs(2))
        .max_lost_runs(u32::MAX)
}

/// Waits for the report, and shows the progress meanwhile.
async fn report(run: &Run, client: &Client, progress: &mut Progress) -> Result<Report, WaitError> {
    const TICK: Duration = Duration::from_millis(200);
    let handle = client.handle::<Report>(run.report);
    loop {
        let report = handle.wait(TICK).await;
        progress.update(client.monitor()).await?;
        if !matches!(report, Err(WaitError::Timeout { .. })) {
            return report;
        }
    }
}

async fn conclude(run: &Run, report: Option<Result<Report, WaitError>>, client: &Client) -> anyhow::Result<Ended> {
    let Some(report) = report else {
        let ended = Tally::of(run.id, client.monitor()).await?.ended();
        println!("interrupted after {ended} of {} jobs; the same command resumes the run", run.jobs);
        return Ok(Ended::Interrupted);
    };
    summary::print(run, &report?, client).await?;
    Ok(Ended::Reported)
}
