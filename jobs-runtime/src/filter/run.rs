//! Round the run of a handler.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde_json::value::RawValue;

use super::{Filter, set::Chain};
use crate::job::{CatchPanic, Invocation, JobContext, JobError, Output};

/// A run that is about to begin.
#[derive(Clone, Debug)]
pub struct Performing {
    context: JobContext,
    invocation: Invocation,
    canceled: Option<String>,
}

impl Performing {
    pub(crate) fn new(context: JobContext, invocation: Invocation) -> Self {
        Self { context, invocation, canceled: None }
    }

    /// What the handler may know of its run too: id, queue, attempt, parameters, cancellation.
    #[must_use]
    pub fn context(&self) -> &JobContext {
        &self.context
    }

    /// The name and arguments of the job.
    #[must_use]
    pub fn invocation(&self) -> &Invocation {
        &self.invocation
    }

    /// Keeps the handler from being called: the job is deleted, and its history says which filter did that.
    pub fn cancel(&mut self) {
        self.canceled.get_or_insert_default();
    }

    /// The same with a reason.
    pub fn cancel_because(&mut self, reason: impl Into<String>) {
        self.canceled = Some(reason.into());
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Performed<'r> {
    performing: &'r Performing,
    output: &'r mut Output,
}

impl Performed<'_> {
    /// What the handler could know of its run.
    #[must_use]
    pub fn context(&self) -> &JobContext {
        &self.performing.context
    }

    /// The name and arguments of the job.
    #[must_use]
    pub fn invocation(&self) -> &Invocation {
        &self.performing.invocation
    }

    /// What the handler returned, as JSON; `None` if it failed or was canceled.
    #[must_use]
    pub fn result(&self) -> Option<&RawValue> {
        self.output.as_deref().ok()
    }

    /// How it failed; `None` if it did not, but was canceled or snoozed.
    #[must_use]
    pub fn error(&self) -> Option<&JobError> {
        self.output.as_ref().err().filter(|error| error.is_failure())
    }

    /// Whether a filter inside this one, or the handler, has canceled the job.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.output.as_ref().err().is_some_and(JobError::is_cancel)
    }

    /// How it ended: the result as JSON, the error, or what the handler wants instead, such as another time.
    pub fn output(&self) -> &Output {
        self.output
    }

    /// Lets the job succeed although it failed, with `null` as its result; those filters that are round this one see no
    /// error. What the handler wrote in its `JobTx` is rolled back all the same. A job that was canceled or snoozed stays so.
    pub fn handle_error(&mut self) {
        if self.error().is_some() {
            *self.output = Ok(RawValue::NULL.to_owned());
        }
    }
}

/// What is inside a filter: further filters, and at last the handler.
#[derive(Clone)]
pub struct Next {
    chain: Chain,
    at: usize,
    handler: Handler,
}

/// Calls a handler.
pub(crate) type Handler = Arc<dyn Fn(Performing) -> Pin<Box<dyn Future<Output = Output> + Send>> + Send + Sync>;

impl Next {
    pub(crate) fn new(chain: Chain, handler: Handler) -> Self {
        Self { chain, at: 0, handler }
    }

    /// Runs it. It may be run again, which performs the job again: in the same context, so that its cancellation, and its
    /// parameters, are those that the run before has left. What a run wrote in its `JobTx` that failed is rolled back.
    pub async fn run(self, performing: Performing) -> Output {
        if let Some(reason) = &performing.canceled {
            // By a filter that does not go on in two steps.
            return Err(canceled("", reason));
        }
        match self.chain.get(self.at).cloned() {
            Some(filter) => {
                let inside = Self { at: self.at + 1, ..self };
                CatchPanic(Box::pin(async move { filter.perform(performing, inside).await })).await
            }
            None => (self.handler)(performing).await,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = self.chain[self.at.min(self.chain.len())..].iter().map(|filter| filter.name());
        f.debug_list().entries(inside).finish()
    }
}

/// Before, inside, after; by Hangfire's rules (`BackgroundJobPerformer`).
pub(super) async fn in_two_steps<F: Filter + ?Sized>(filter: &F, mut performing: Performing, next: Next) -> Output {
    filter.performing(&mut performing).await.map_err(|error| failed(filter, error))?;
    if let Some(reason) = &performing.canceled {
        return Err(canceled(filter.name(), reason));
    }
    let mut output = next.run(performing.clone()).await;
    if output.is_err() && performing.context.is_interrupted() {
        return output;
    }
    let mut performed = Performed { performing: &performing, output: &mut output };
    filter.performed(&mut performed).await.map_err(|error| failed(filter, error))?;
    output
}

fn canceled(filter: &str, reason: &str) -> JobError {
    let (filter, space) = if filter.is_empty() { ("a filter", "") } else { (filter, "filter ") };
    let colon = if reason.is_empty() { "" } else { ": " };
    JobError::cancel(format!("canceled by {space}{filter}{colon}{reason}"))
}

/// A filter failed: what that means for the job is what it would mean if its handler had.
fn failed<F: Filter + ?Sized>(filter: &F, error: Box<dyn std::error::Error + Send + Sync>) -> JobError {
    JobError::from_error(error).in_filter(filter.name())
}
