//! Middleware of the crate `tower` round the runs of jobs.

use std::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use serde_json::value::RawValue;
use tower_layer::Layer;
use tower_service::Service;

use super::{Filter, Next, Performing};
use crate::job::{JobError, Output};

/// Any `tower::Layer` as a filter round the runs of jobs: limits, timeouts, retries within an attempt, load shedding.
///
/// The layer's service is made once and cloned for each run, so that what its clones share, such as the permits of a
/// concurrency limit, is shared by all runs.
///
/// ```
/// use jobs_runtime::{filter::LayerFilter, prelude::*};
/// use tower::limit::ConcurrencyLimitLayer;
///
/// # fn example(builder: jobs_runtime::server::JobServerBuilder) -> jobs_runtime::server::JobServerBuilder {
/// builder.filter(LayerFilter::new(ConcurrencyLimitLayer::new(4)))
/// # }
/// ```
pub struct LayerFilter<S> {
    service: Mutex<S>,
    order: i32,
}

/// A run, as a service gets it.
#[derive(Clone, Debug)]
pub struct Run {
    performing: Performing,
    next: Next,
}

impl Run {
    /// The job and its context.
    #[must_use]
    pub fn performing(&self) -> &Performing {
        &self.performing
    }
}

/// What is inside a layer: the filters after it, and the handler.
#[derive(Clone, Copy, Debug)]
pub struct RunService(());

impl Service<Run> for RunService {
    type Response = Box<RawValue>;
    type Error = JobError;
    type Future = Pin<Box<dyn Future<Output = Output> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, run: Run) -> Self::Future {
        Box::pin(run.next.run(run.performing))
    }
}

impl<S> LayerFilter<S> {
    /// A filter of `layer`, at the usual [order](Filter::order).
    pub fn new<L: Layer<RunService, Service = S>>(layer: L) -> Self {
        Self { service: Mutex::new(layer.layer(RunService(()))), order: -1 }
    }

    /// The same at another order.
    #[must_use]
    pub fn with_order(mut self, order: i32) -> Self {
        self.order = order;
        self
    }
}

#[async_trait::async_trait]
impl<S> Filter for LayerFilter<S>
where
    S: Service<Run, Response = Box<RawValue>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
    S::Future: Send,
{
    fn order(&self) -> i32 {
        self.order
    }

    async fn perform(&self, performing: Performing, next: Next) -> Output {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(JobError::from_error)?;
        service.call(Run { performing, next }).await.map_err(JobError::from_error)
    }
}

impl<S> fmt::Debug for LayerFilter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerFilter").field("order", &self.order).finish_non_exhaustive()
    }
}
