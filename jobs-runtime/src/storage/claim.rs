use std::fmt;

use super::ServerId;
use crate::{
    clock::Timestamp,
    job::{JobId, JobName, Parameters, QueueName, Recurrence},
};

/// A server's wish for jobs.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The server that will hold them.
    pub server: ServerId,
    /// The queues to take from, the most important first.
    pub queues: std::sync::Arc<[QueueName]>,
    /// How many at most.
    pub limit: usize,
}

/// Tells one delivery of a job from every other: an outcome is recorded only with the current token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClaimToken(pub i64);

impl fmt::Display for ClaimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A job that a server holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimedJob {
    /// The job.
    pub id: JobId,
    /// This delivery.
    pub token: ClaimToken,
    /// What to call.
    pub name: JobName,
    /// The arguments as they are stored, not yet looked at.
    pub arguments: String,
    /// The queue it was taken from.
    pub queue: QueueName,
    /// Which run this is: 1 for the first.
    pub attempt: u32,
    /// How many of its runs were lost with their servers.
    pub lost: u32,
    /// Retries chosen for this job alone.
    pub max_attempts: Option<u32>,
    /// When the job was created.
    pub created_at: Timestamp,
    /// Which schedule made it, if one did.
    pub recurrence: Option<Recurrence>,
    /// What is stored beside its arguments.
    pub parameters: Parameters,
}

impl ClaimedJob {
    /// The first delivery of a job of the queue `default`; for a backend that sets the other fields.
    pub fn new(
        id: JobId,
        token: ClaimToken,
        name: JobName,
        arguments: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            token,
            name,
            arguments: arguments.into(),
            queue: QueueName::DEFAULT,
            attempt: 1,
            lost: 0,
            max_attempts: None,
            created_at,
            recurrence: None,
            parameters: Parameters::new(),
        }
    }
}
