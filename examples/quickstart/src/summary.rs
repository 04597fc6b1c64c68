use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use jobs_runtime::{
    prelude::*,
    state::StateName,
    storage::{JobSummary, StorageResult},
};

use crate::{
    jobs::Report,
    run::Run,
    tally::{Tally, jobs_of},
};

/// How many failed jobs are named.
const NAMED: usize = 10;

/// Prints what came of a run.
pub(crate) async fn print(run: &Run, report: &Report, client: &Client) -> StorageResult<()> {
    println!("\n{}", run.folder.display());
    print_files(report);
    print_others(report);
    let failed = jobs_of(run.id, StateName::Failed, None, client.monitor()).await?;
    print_failed(&failed, client).await;
    let Tally { succeeded, failed, deleted } = Tally::of(run.id, client.monitor()).await?;
    println!("\ndone: {succeeded} succeeded, {failed} failed, {deleted} deleted");
    Ok(())
}

fn print_files(report: &Report) {
    println!("  files    {:>12}  ({} are copies of others)", HumanCount(report.files).to_string(), report.copies);
    println!("  bytes    {:>12}  ({})", HumanCount(report.bytes).to_string(), HumanBytes(report.bytes));
    println!("  lines    {:>12}", HumanCount(report.lines).to_string());
    println!("  words    {:>12}", HumanCount(report.words).to_string());
    for (place, file) in report.largest.iter().enumerate() {
        let title = if place == 0 { "largest" } else { "" };
        println!("  {title:<8} {:>12}  {}", HumanCount(file.bytes).to_string(), file.path);
    }
}

fn print_others(report: &Report) {
    if let Some(milliseconds) = report.reminded_after {
        println!("  the delayed job ran {milliseconds} ms after the run began");
    }
    if let Some(attempt) = report.stumble_attempt {
        println!("  the job that stumbles succeeded at attempt {attempt}");
    }
}

async fn print_failed(failed: &[JobSummary], client: &Client) {
    for job in failed.iter().take(NAMED) {
        println!("  failed: {}", why(job, client).await);
    }
    if failed.len() > NAMED {
        println!("  … and {} more", failed.len() - NAMED);
    }
}

async fn why(job: &JobSummary, client: &Client) -> String {
    match client.handle::<serde_json::Value>(job.id).wait(Duration::ZERO).await {
        Err(WaitError::Failed { failure, .. }) => failure.message,
        Err(other) => other.to_string(),
        Ok(_) => format!("job {} was requeued and has succeeded since", job.id),
    }
}
