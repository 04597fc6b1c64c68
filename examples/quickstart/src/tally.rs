use jobs_runtime::{
    job::JobName,
    state::StateName,
    storage::{JobFilter, JobSummary, Monitor, PageRequest, StorageResult},
};
use serde::Deserialize;

use crate::run::RunId;

/// How the jobs of one run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) deleted: usize,
}

impl Tally {
    pub(crate) async fn of(run: RunId, monitor: &dyn Monitor) -> StorageResult<Self> {
        Ok(Self {
            succeeded: jobs_of(run, StateName::Succeeded, None, monitor).await?.len(),
            failed: jobs_of(run, StateName::Failed, None, monitor).await?.len(),
            deleted: jobs_of(run, StateName::Deleted, None, monitor).await?.len(),
        })
    }

    pub(crate) fn ended(&self) -> u64 {
        (self.succeeded + self.failed + self.deleted) as u64
    }
}

/// All jobs of `run` in `state`, page by page; only those named `name`, if one is given.
pub(crate) async fn jobs_of(
    run: RunId,
    state: StateName,
    name: Option<JobName>,
    monitor: &dyn Monitor,
) -> StorageResult<Vec<JobSummary>> {
    let filter = JobFilter { name, created_from: Some(run.began()), ..JobFilter::state(state) };
    let (mut jobs, mut request) = (Vec::new(), PageRequest::first(PageRequest::MAX_LIMIT));
    loop {
        let page = monitor.jobs(&filter, &request).await?;
        jobs.extend(page.jobs.into_iter().filter(|job| belongs_to(run, job)));
        match page.next {
            Some(next) => request = PageRequest::after(PageRequest::MAX_LIMIT, next),
            None => return Ok(jobs),
        }
    }
}

/// Another run may have begun since, so the time of creation alone doesn't tell.
fn belongs_to(run: RunId, job: &JobSummary) -> bool {
    #[derive(Deserialize)]
    struct OfRun {
        run: RunId,
    }
    serde_json::from_str::<OfRun>(&job.arguments).is_ok_and(|of| of.run == run)
}
