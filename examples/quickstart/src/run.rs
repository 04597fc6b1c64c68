use std::{fmt, path::PathBuf, time::Duration};

use anyhow::Context;
use jobs_runtime::{
    client::IntoNewJob,
    clock::Timestamp,
    prelude::*,
    state::StateName,
    storage::{JobFilter, JobSummary, NewJob, PageRequest},
};
use serde::{Deserialize, Serialize};

use crate::{
    folder::Folder,
    jobs::{ReadFile, Remind, Stumble, WriteReport},
};

/// Which run a job belongs to: the moment in which the run began. Every job of a run has it as an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RunId(Timestamp);

impl RunId {
    pub(crate) fn began(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%F %T%.3f UTC").fmt(f)
    }
}

/// One run over a folder, as it is stored.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) folder: PathBuf,
    /// How many jobs it has in all, its report included.
    pub(crate) jobs: u64,
    /// The job that ends last.
    pub(crate) report: JobId,
}

/// When the delayed job is due.
const DELAY: Duration = Duration::from_secs(1);

impl Run {
    /// Stores all jobs of a new run in one step: whatever happens to this process, all of them are there or none.
    pub(crate) async fn store(client: &Client, folder: &Folder, files: Vec<PathBuf>) -> anyhow::Result<Self> {
        let id = RunId(client.storage().clock().now());
        let jobs = files.len() as u64 + 3;
        let mut new: Vec<NewJob> = Vec::with_capacity(files.len() + 3);
        for file in files {
            new.push(ReadFile::new(id, file.into()).into_new_job(client)?);
        }
        new.push(Remind::enqueue(id).delay(DELAY).into_new_job(client)?);
        new.push(Stumble::new(id).into_new_job(client)?);
        new.push(WriteReport::new(id, folder.path().to_owned().into(), jobs).into_new_job(client)?);
        let handles = client.enqueue_all(new).await?;
        let report = handles.last().context("a run has a report")?.id();
        Ok(Self { id, folder: folder.path().to_owned(), jobs, report })
    }

    /// The latest run that has not ended. The report of a run is its last job, so that is what to look for.
    pub(crate) async fn find_unfinished(client: &Client) -> anyhow::Result<Option<Self>> {
        let reports = JobFilter::all().name(WriteReport::NAME);
        let page = client.monitor().jobs(&reports, &PageRequest::first(PageRequest::MAX_LIMIT)).await?;
        page.jobs.iter().find(|job| !has_ended(job.state)).map(Self::of).transpose()
    }

    fn of(report: &JobSummary) -> anyhow::Result<Self> {
        let arguments: WriteReport = serde_json::from_str(&report.arguments)
            .with_context(|| format!("job {} was stored by another version of this program", report.id))?;
        let WriteReport { run: id, folder, jobs } = arguments;
        Ok(Self { id, folder: folder.as_path().to_owned(), jobs, report: report.id })
    }
}

fn has_ended(state: StateName) -> bool {
    matches!(state, StateName::Succeeded | StateName::Failed | StateName::Deleted)
}
