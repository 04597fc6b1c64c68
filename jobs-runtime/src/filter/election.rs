//! Which state a job moves into.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serde::Serialize;

use super::{Filter, FilterResult, set::Chain};
use crate::{
    clock::Timestamp,
    job::{CatchPanic, Failure, Invocation, JobError, JobId, ParameterError, Parameters, QueueName},
    state::{Again, Attempts, Candidate, Expiry, Failed, State, StateName, StateSet, Transition},
    storage::JobDetails,
};

/// The order at which a failure becomes a retry: filters below it are asked about the failure, those above about the retry.
/// It is that of Hangfire's `AutomaticRetryAttribute`.
pub(crate) const RETRY_ORDER: i32 = 20;

/// The job that moves.
#[derive(Clone, Debug)]
pub struct Subject {
    pub(crate) id: JobId,
    pub(crate) invocation: Invocation,
    pub(crate) queue: QueueName,
    pub(crate) attempt: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) parameters: Parameters,
}

impl Subject {
    /// A stored job; `None` if its arguments are no JSON.
    pub(crate) fn found(found: JobDetails) -> Option<Self> {
        let job = found.job;
        Some(Self {
            id: job.id,
            invocation: Invocation::stored(job.name, job.arguments).ok()?,
            queue: job.queue,
            attempt: job.attempts,
            created_at: job.created_at,
            parameters: found.parameters,
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Its name and arguments.
    #[must_use]
    pub fn invocation(&self) -> &Invocation {
        &self.invocation
    }

    /// Its queue.
    #[must_use]
    pub fn queue(&self) -> &QueueName {
        &self.queue
    }

    /// Its run: 1 for the first. While it does not run, how many runs have ended.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When it was created.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// What is stored beside its arguments.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// A move that is about to be made.
#[derive(Debug)]
pub struct Election {
    subject: Subject,
    from: StateName,
    allowed: StateSet,
    candidate: Candidate,
}

impl Election {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &Subject {
        &self.subject
    }

    /// The state that it leaves.
    #[must_use]
    pub fn from(&self) -> StateName {
        self.from
    }

    /// The state that it is to enter, unless another one is elected.
    #[must_use]
    pub fn candidate(&self) -> &State {
        &self.candidate.transition.to
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.candidate.transition.reason.as_deref()
    }

    /// How the job failed, if it is to be Failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self.candidate() {
            State::Failed(Failed { failure }) => Some(failure),
            _ => None,
        }
    }

    /// Lets the job enter another state, for this reason; the candidate it replaces becomes history. These are Enqueued,
    /// Scheduled, Failed and Deleted: that a job has succeeded is not elected, but [handled](crate::filter::Performed::handle_error).
    ///
    /// A job that is elected to be Enqueued instead of Processing comes back as soon as a server claims it.
    ///
    /// # Errors
    ///
    /// [`InvalidElection`] if the job can't go there from where it is.
    pub fn elect(&mut self, state: impl Into<State>, reason: impl Into<String>) -> Result<(), InvalidElection> {
        let state = state.into();
        let (from, to) = (self.from, state.name());
        if !self.allowed.contains(to) {
            return Err(InvalidElection { job: self.subject.id, from, to });
        }
        let before = self.candidate.transition.clone();
        let attempts = match (before.to.name(), to) {
            // The run has ended, and counts.
            (StateName::Succeeded, to) if to != StateName::Succeeded => Attempts::Spend,
            (_, StateName::Failed) if self.from == StateName::Processing => Attempts::Spend,
            _ => before.attempts,
        };
        let again = if to == StateName::Failed { Again::ByPolicy } else { Again::Never };
        self.candidate = Candidate { transition: before.replaced_by(state, reason).attempts(attempts), again };
        Ok(())
    }

    /// Sets a [parameter](Parameters) of the job, with the move.
    ///
    /// # Errors
    ///
    /// As [`Parameters::set`].
    pub fn set_parameter<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), ParameterError> {
        self.subject.parameters.set(name, value)?;
        self.candidate.transition.parameters = Some(self.subject.parameters.clone());
        Ok(())
    }
}

/// A state was elected that the job can't enter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("job {job} is {from} and can't be elected to become {to}")]
pub struct InvalidElection {
    job: JobId,
    from: StateName,
    to: StateName,
}

/// A move that is settled.
#[derive(Debug)]
pub struct Application<'e>(&'e mut Election);

impl Application<'_> {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &Subject {
        &self.0.subject
    }

    /// The state that it leaves.
    #[must_use]
    pub fn from(&self) -> StateName {
        self.0.from
    }

    /// The state that it enters.
    #[must_use]
    pub fn state(&self) -> &State {
        self.0.candidate()
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason()
    }

    /// Keeps the job for this time in its new state, if it is Succeeded, Deleted or Failed; instead of what the storage's
    /// [`Retention`](crate::storage::Retention) says.
    pub fn keep_for(&mut self, time: Duration) {
        self.0.candidate.transition.expiry = Expiry::After(time);
    }

    /// Keeps the job until someone deletes it.
    pub fn keep_forever(&mut self) {
        self.0.candidate.transition.expiry = Expiry::Never;
    }

    /// Sets a [parameter](Parameters) of the job, with the move.
    ///
    /// # Errors
    ///
    /// As [`Parameters::set`].
    pub fn set_parameter<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), ParameterError> {
        self.0.set_parameter(name, value)
    }
}

/// A move on its way through the filters.
pub(crate) struct Decision<'d> {
    pub(crate) chain: &'d Chain,
    pub(crate) from: StateName,
    /// Where the job may go.
    pub(crate) allowed: StateSet,
}

impl Decision<'_> {
    /// Asks the filters which state the job enters, `retried` standing among them, and then what else to write.
    ///
    /// A filter that fails makes the job fail, and then no other is asked; so it is in Hangfire (`BackgroundJobStateChanger`).
    pub(crate) async fn settle(
        self,
        subject: Subject,
        candidate: Candidate,
        retried: impl FnOnce(Candidate) -> Transition + Send,
    ) -> Transition {
        let (from, allowed) = (self.from, self.allowed);
        let mut election = Election { subject, from, allowed, candidate };
        match self.ask(&mut election, retried).await {
            Ok(()) => election.candidate.transition,
            Err(failure) => {
                let reason = "a filter failed while the job's next state was elected";
                let moved = election.candidate.transition;
                let attempts = if from == StateName::Processing { Attempts::Spend } else { moved.attempts };
                moved.replaced_by(Failed { failure }, reason).attempts(attempts).kept(Expiry::default())
            }
        }
    }

    async fn ask(
        self,
        election: &mut Election,
        retried: impl FnOnce(Candidate) -> Transition + Send,
    ) -> Result<(), Failure> {
        let (before, after) = self.chain.split_at(self.chain.partition_point(|filter| filter.order() < RETRY_ORDER));
        elect(before, election).await?;
        let unsettled = Transition::new(crate::state::Deleted {}, election.candidate.transition.at);
        let candidate = std::mem::replace(&mut election.candidate, Candidate::of(unsettled));
        election.candidate = Candidate::of(retried(candidate));
        elect(after, election).await?;
        apply(self.chain, election, |filter, application| filter.unapplied(application)).await?;
        apply(self.chain, election, |filter, application| filter.applied(application)).await
    }
}

async fn elect(filters: &[Arc<dyn Filter>], election: &mut Election) -> Result<(), Failure> {
    for filter in filters {
        let electing = filter.elect(election).map(|result| result.map_err(JobError::from_error));
        CatchPanic(Box::pin(electing)).await.map_err(|error| failure(&**filter, error))?;
    }
    Ok(())
}

async fn apply(
    filters: &[Arc<dyn Filter>],
    election: &mut Election,
    hook: impl Fn(&dyn Filter, &mut Application<'_>) -> FilterResult + Send + Sync,
) -> Result<(), Failure> {
    for filter in filters {
        let applying = async { hook(&**filter, &mut Application(election)).map_err(JobError::from_error) };
        CatchPanic(Box::pin(applying)).await.map_err(|error| failure(&**filter, error))?;
    }
    Ok(())
}

fn failure(filter: &dyn Filter, error: JobError) -> Failure {
    error.in_filter(filter.name()).into_failure().bounded()
}
