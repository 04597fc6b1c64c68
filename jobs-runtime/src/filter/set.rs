use std::{fmt, sync::Arc};

use super::{Filter, declared};
use crate::job::JobName;

/// The filters that are asked about a job, in their order.
pub(crate) type Chain = Arc<[Arc<dyn Filter>]>;

/// The filters of a client or a server, beside those that stand in the source.
#[derive(Clone, Default)]
pub(crate) struct Filters(Vec<Registered>);

#[derive(Clone)]
struct Registered {
    filter: Arc<dyn Filter>,
    /// `None` for all jobs.
    job: Option<JobName>,
}

impl Filters {
    /// Adds a filter for all jobs, or for those of one name.
    pub(crate) fn add(&mut self, filter: impl Filter, job: Option<JobName>) {
        self.0.push(Registered { filter: Arc::new(filter), job });
    }

    /// Adds those of another set.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
    }

    /// Whether no job has any.
    pub(crate) fn are_none(&self) -> bool {
        self.0.is_empty() && declared::are_none()
    }

    /// Those that are asked about jobs of a name.
    pub(crate) fn of(&self, job: &JobName) -> Chain {
        if self.are_none() {
            return Chain::default();
        }
        let declared = declared::of(job);
        let of_scope = |wanted: bool| {
            let in_scope = move |registered: &&Registered| match &registered.job {
                None => !wanted,
                Some(name) => wanted && name == job,
            };
            self.0.iter().filter(in_scope).map(|registered| Arc::clone(&registered.filter))
        };
        let mut chain: Vec<Arc<dyn Filter>> =
            of_scope(false).chain(declared.iter().cloned()).chain(of_scope(true)).collect();
        chain.sort_by_key(|filter| filter.order());
        chain.into()
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|registered| registered.filter.name())).finish()
    }
}

/// Filters that stand in the source, beside a job or an `impl` block; `#[job(filters(…))]` makes one.
#[derive(Clone, Default)]
pub struct DeclaredFilters(pub(super) Vec<Arc<dyn Filter>>);

impl DeclaredFilters {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same and one more, which is asked after them.
    #[must_use]
    pub fn and(mut self, filter: impl Filter) -> Self {
        self.0.push(Arc::new(filter));
        self
    }
}

impl fmt::Debug for DeclaredFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|filter| filter.name())).finish()
    }
}
