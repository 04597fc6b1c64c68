//! One run of a job, with the filters round it.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;

use super::{running::Run, shared::Shared, transaction};
use crate::{
    filter::{Chain, Decision, Next, Performing, Subject},
    job::{
        CatchPanic, ContextParts, HandlerDescriptor, Invocation, JobContext, JobError, Output, RegisteredHandler,
        ResultTooLarge, RetryPolicy, RunTransaction, panic_message,
    },
    state::{self, Candidate, Ended, Expiry, Processing, StateName, StateSet, Transition, candidate},
    storage::{ClaimToken, ClaimedJob, JobTransaction},
};

/// A job that was claimed, on its way to the next state.
pub(super) struct Case<'s> {
    shared: &'s Shared,
    run: &'s Run,
    handler: Option<&'s RegisteredHandler>,
    retry: RetryPolicy,
    chain: Chain,
    pub(super) context: JobContext,
    /// As stored, and whether that is JSON.
    invocation: Result<Invocation, String>,
}

impl<'s> Case<'s> {
    pub(super) fn of(shared: &'s Shared, job: ClaimedJob, run: &'s Run) -> Self {
        let handler = shared.registry.get(&job.name);
        let retry = handler.map_or(shared.settings.unknown_jobs, |handler| {
            let retry = handler.settings.retry;
            retry.with_attempts(job.max_attempts.unwrap_or(retry.attempts))
        });
        let chain = match handler {
            // Stored under an alias, it is the same job.
            Some(handler) => shared.filters().of(&handler.descriptor.name()),
            None => shared.filters().of(&job.name),
        };
        let context = JobContext::new(ContextParts {
            id: job.id,
            token: job.token.0,
            name: job.name.clone(),
            queue: job.queue,
            attempt: job.attempt,
            retries: retry.attempts,
            created_at: job.created_at,
            recurrence: job.recurrence,
            parameters: job.parameters.into(),
            parameters_turn: tokio::sync::Mutex::default(),
            cancellation: run.cancellation.clone(),
            interrupted: Arc::clone(&run.interrupted),
            data: Arc::clone(&shared.data),
            transaction: RunTransaction::default(),
        });
        let invocation = Invocation::stored(job.name, job.arguments).map_err(|error| error.to_string());
        Self { shared, run, handler, retry, chain, context, invocation }
    }

    /// Asks whether the job may run; else where it goes.
    pub(super) async fn enter(&self) -> Option<Transition> {
        let subject = self.subject()?;
        let processing = Processing { server: self.shared.record.id.to_string(), attempt: self.context.attempt() };
        let candidate = Candidate::of(Transition::new(processing, self.shared.storage().clock().now()));
        let decision = Decision { chain: &self.chain, from: StateName::Enqueued, allowed: ELSEWHERE };
        let mut elected = decision.settle(subject, candidate, |candidate| candidate.transition).await;
        if elected.to.name() != StateName::Processing {
            // It is told by the claim.
            elected.replaced.retain(|entry| entry.state != StateName::Processing);
            return Some(elected);
        }
        let parameters = elected.parameters?;
        let (id, token) = (self.context.job_id(), ClaimToken(self.context.token()));
        match self.shared.storage().set_parameters(id, token, parameters.clone()).await {
            Ok(_) => {
                *self.context.parameters_mut() = parameters;
                None
            }
            Err(error) => Some(self.settle(Ended::Failed(JobError::new(error))).await),
        }
    }

    /// Runs the job's handler, and returns how that ended; with the transaction in which its success is to be recorded, if
    /// there is one.
    pub(super) async fn run(&self) -> (Ended, Option<JobTransaction>) {
        let Some(handler) = self.handler else {
            return (Ended::Failed(self.shared.registry.unknown(self.context.name())), None);
        };
        let invocation = match &self.invocation {
            Ok(invocation) => invocation.clone(),
            Err(error) => return (Ended::Failed(JobError::permanent(error.clone())), None),
        };
        let _aborted = transaction::EndAtDrop(&self.context);
        let (descriptor, limit) = (handler.descriptor, handler.settings.timeout);
        let output = if self.chain.is_empty() {
            self.shared.client.scope(call(descriptor, limit, invocation, self.context.clone())).await
        } else {
            let handler = move |performing: Performing| -> std::pin::Pin<Box<dyn Future<Output = Output> + Send>> {
                let (invocation, context) = (performing.invocation().clone(), performing.context().clone());
                Box::pin(call(descriptor, limit, invocation, context))
            };
            let next = Next::new(Arc::clone(&self.chain), Arc::new(handler));
            let performing = Performing::new(self.context.clone(), invocation);
            self.shared.client.scope(CatchPanic(Box::pin(next.run(performing)))).await
        };
        transaction::settle(self.ended(output), &self.context)
    }

    fn ended(&self, output: Output) -> Ended {
        match output {
            Ok(result) => match ResultTooLarge::check(&result, self.shared.settings.max_result) {
                Ok(()) => Ended::Returned(result),
                Err(error) => Ended::Failed(JobError::permanent(error)),
            },
            // It was told to stop, so that it did not succeed is no failure of its own.
            Err(_) if self.run.is_interrupted() => Ended::Interrupted,
            Err(error) => Ended::Failed(error),
        }
    }

    /// The move that the end of a run proposes.
    pub(super) fn propose(&self, ended: Ended) -> Candidate {
        candidate(ended, self.finished())
    }

    /// The move that follows from the end of a run: a retry, if it failed and one is left, and what filters make of it.
    pub(super) async fn settle(&self, ended: Ended) -> Transition {
        let run = self.finished();
        let candidate = candidate(ended, run);
        let retried = |candidate: Candidate| candidate.retried(run, |bound| fastrand::u64(..bound));
        let settled = match self.subject() {
            None => retried(candidate),
            Some(subject) => {
                Decision { chain: &self.chain, from: StateName::Processing, allowed: ELSEWHERE }
                    .settle(subject, candidate, retried)
                    .await
            }
        };
        self.kept(settled)
    }

    /// The move that follows from a panic beside the handler: of what it left behind, when that was dropped, or of the
    /// function that says when to retry.
    pub(super) async fn settle_after(&self, panic: Box<dyn Any + Send>) -> Transition {
        let error = |panic| JobError::panic(format!("panicked beside the handler: {}", panic_message(panic)), None);
        let settling = self.settle(Ended::Failed(error(panic)));
        match AssertUnwindSafe(settling).catch_unwind().await {
            Ok(transition) => transition,
            Err(again) => self.propose(Ended::Failed(error(again))).transition,
        }
    }

    /// As long as the job's settings say, if no filter has said otherwise.
    fn kept(&self, transition: Transition) -> Transition {
        let Some(handler) = self.handler else { return transition };
        let retention = &handler.settings.retention;
        let time = match transition.to.name() {
            StateName::Succeeded => retention.succeeded,
            StateName::Failed => retention.failed,
            StateName::Deleted => retention.deleted,
            _ => None,
        };
        match (transition.expiry, time) {
            (Expiry::Retention, Some(time)) => transition.kept(Expiry::After(time)),
            _ => transition,
        }
    }

    /// What filters are told of the job; `None` if there are none.
    fn subject(&self) -> Option<Subject> {
        if self.chain.is_empty() {
            return None;
        }
        Some(Subject {
            id: self.context.job_id(),
            invocation: self.invocation.as_ref().ok()?.clone(),
            queue: self.context.queue().clone(),
            attempt: self.context.attempt(),
            created_at: self.context.created_at(),
            parameters: self.context.parameters(),
        })
    }

    fn finished(&self) -> state::Run<'_> {
        state::Run {
            attempt: self.context.attempt(),
            retry: &self.retry,
            duration: self.run.elapsed(),
            ended_at: self.shared.storage().clock().now(),
        }
    }
}

/// Where a claimed job can be elected to go. That it has succeeded is what its run says, or a filter that handles its error.
const ELSEWHERE: StateSet =
    StateSet::of(&[StateName::Enqueued, StateName::Scheduled, StateName::Failed, StateName::Deleted]);

/// Calls a handler. When its time is up, its future is dropped.
async fn call(
    descriptor: HandlerDescriptor,
    limit: Option<Duration>,
    invocation: Invocation,
    context: JobContext,
) -> Output {
    let performing = CatchPanic((descriptor.perform)(invocation, context.clone()));
    let output = match limit {
        None => performing.await,
        Some(limit) => tokio::time::timeout(limit, performing).await.unwrap_or_else(|_| {
            context.cancellation_token().cancel();
            Err(JobError::timed_out(limit))
        }),
    };
    if output.is_err() {
        // A filter may handle the error, or call again: what was written so far must not be committed with that.
        context.transaction().take_back();
    }
    output
}
