use super::ServerId;
use crate::{clock::Timestamp, job::JobId, state::StateName};

/// When a server counts as dead, and what that costs its jobs.
#[derive(Clone, Copy, Debug)]
pub struct Rescue {
    /// Servers that have not beaten since then count as dead. It is a time and not a duration, so that a clock that
    /// jumps between the judgement and the deed condemns nobody.
    pub silent_since: Timestamp,
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
