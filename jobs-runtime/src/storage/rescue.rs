use std::time::Duration;

use super::ServerId;
use crate::{job::JobId, state::StateName};

/// When a server counts as dead, and what that costs its jobs.
#[derive(Clone, Copy, Debug)]
pub struct Rescue {
    /// How long a server may not beat before it counts as dead.
    pub stale_after: Duration,
    /// How many lost runs a job may have: the last of them makes it Failed.
    pub max_lost: u32,
    /// How many jobs are taken at most.
    pub limit: usize,
}

/// A job that was taken from a dead server.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Rescued {
    /// The job.
    pub job: JobId,
    /// The dead server.
    pub server: ServerId,
    /// Where the job went: Enqueued, or Failed after too many lost runs.
    pub to: StateName,
}

impl Rescued {
    /// A job that was taken from `server` and went to `to`.
    #[must_use]
    pub fn new(job: JobId, server: ServerId, to: StateName) -> Self {
        Self { job, server, to }
    }
}
