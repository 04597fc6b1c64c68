use std::{collections::HashSet, path::Path, time::Duration};

use anyhow::{Context, bail};
use jobs_runtime::{prelude::*, state::StateName, storage::JobSummary};
use serde::{Deserialize, Serialize};

use super::{Contents, ReadFile, Remind, Stumble};
use crate::{
    run::RunId,
    stored_path::StoredPath,
    tally::{Tally, jobs_of},
};

/// What all files of a run are together.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) words: u64,
    /// Files with the same contents as one that was counted before.
    pub(crate) copies: u64,
    /// The largest first.
    pub(crate) largest: Vec<FileSize>,
    /// What the delayed job returned.
    pub(crate) reminded_after: Option<i64>,
    /// What the job that stumbles returned.
    pub(crate) stumble_attempt: Option<u32>,
}

/// A file and its size.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FileSize {
    pub(crate) bytes: u64,
    pub(crate) path: String,
}

/// How many files are named.
const LARGEST: usize = 5;

/// How long to wait before looking again whether all others have ended.
const AGAIN: Duration = Duration::from_millis(250);

/// The last job of a run: `jobs` is how many the run has, this one included.
///
/// Its queue is the last that the server looks at, so it is not begun before the other queues are empty. Others may
/// still run then, or wait for a retry: until they have ended it asks to be put off.
#[job(queue = "report", retry(attempts = 3, fixed = "1s"))]
pub(crate) async fn write_report(cx: JobContext, run: RunId, folder: StoredPath, jobs: u64) -> anyhow::Result<Report> {
    let client = Client::current().context("a job runs with its server's client")?;
    if Tally::of(run, client.monitor()).await?.ended() + 1 < jobs {
        return Err(JobError::snooze(AGAIN).into());
    }
    let (mut report, mut seen) = (Report::default(), HashSet::new());
    for job in jobs_of(run, StateName::Succeeded, Some(ReadFile::NAME), client.monitor()).await? {
        if cx.is_cancelled() {
            bail!("stopped while it added up");
        }
        let (path, contents) = result(&client, &job).await?;
        report.add(relative(path.as_path(), folder.as_path()), &contents);
        report.copies += u64::from(!seen.insert(contents.sha256));
    }
    report.reminded_after = only_result::<Remind>(&client, run).await?;
    report.stumble_attempt = only_result::<Stumble>(&client, run).await?;
    Ok(report)
}

/// What the one `J` of the run returned, if it succeeded.
async fn only_result<J: Job>(client: &Client, run: RunId) -> anyhow::Result<Option<J::Output>> {
    let jobs = jobs_of(run, StateName::Succeeded, Some(J::NAME), client.monitor()).await?;
    let Some(job) = jobs.first() else { return Ok(None) };
    Ok(Some(client.handle(job.id).wait(Duration::ZERO).await?))
}

/// The file that a job read, and what it found there.
async fn result(client: &Client, job: &JobSummary) -> anyhow::Result<(StoredPath, Contents)> {
    let arguments: ReadFile = serde_json::from_str(&job.arguments)?;
    let contents = client.handle(job.id).wait(Duration::ZERO).await?;
    Ok((arguments.path, contents))
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

impl Report {
    fn add(&mut self, path: String, contents: &Contents) {
        self.files += 1;
        self.bytes += contents.bytes;
        self.lines += contents.lines;
        self.words += contents.words;
        self.largest.push(FileSize { bytes: contents.bytes, path });
        self.largest.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        self.largest.truncate(LARGEST);
    }
}
