use crate::{
    clock::Timestamp,
    job::{Invocation, JobId, Parameters, QueueName, Recurrence},
    state::{Awaiting, Enqueued, Scheduled, State, StateName},
};

/// A job to be stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewJob {
    /// Its id, made by the client.
    pub id: JobId,
    /// What to call.
    pub invocation: Invocation,
    /// Where it waits.
    pub queue: QueueName,
    /// Its priority within the queue: higher runs first.
    pub priority: i16,
    /// Retries for this job alone, instead of its type's.
    pub max_attempts: Option<u32>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its first state.
    pub initial: Initial,
    /// Which schedule made it, if one did. Of each (schedule, slot) there is one job: a second is left out.
    pub recurrence: Option<Recurrence>,
    /// What is stored beside its arguments.
    pub parameters: Parameters,
}

impl NewJob {
    /// A job that is ready to run, in the queue `default` with priority 0; change its fields to choose otherwise.
    #[must_use]
    pub fn new(id: JobId, invocation: Invocation, created_at: Timestamp) -> Self {
        let parameters = Parameters::of_version(invocation.version());
        Self {
            id,
            invocation,
            queue: QueueName::DEFAULT,
            priority: 0,
            max_attempts: None,
            created_at,
            initial: Initial::Enqueued,
            recurrence: None,
            parameters,
        }
    }
}

/// The state in which a job begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initial {
    /// Ready to run.
    Enqueued,
    /// Ready at this time.
    Scheduled(Timestamp),
    /// Ready when this job has succeeded.
    Awaiting(JobId),
}

impl Initial {
    /// The state with its data.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Enqueued => Enqueued {}.into(),
            Self::Scheduled(at) => Scheduled { at }.into(),
            Self::Awaiting(parent) => Awaiting { parent }.into(),
        }
    }

    /// The state's name.
    #[must_use]
    pub const fn name(self) -> StateName {
        match self {
            Self::Enqueued => StateName::Enqueued,
            Self::Scheduled(_) => StateName::Scheduled,
            Self::Awaiting(_) => StateName::Awaiting,
        }
    }
}
