//! The filters that stand in the source of the program.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use super::{DeclaredFilters, set::Chain};
use crate::job::{JobName, panic_message};

/// The filters of one job; `#[job(filters(…))]` submits one.
#[derive(Clone, Copy, Debug)]
pub struct FilterDescriptor {
    job: fn() -> JobName,
    filters: fn() -> DeclaredFilters,
}

impl FilterDescriptor {
    /// Those of the job of that name.
    #[must_use]
    pub const fn new(job: fn() -> JobName, filters: fn() -> DeclaredFilters) -> Self {
        Self { job, filters }
    }
}

inventory::collect!(FilterDescriptor);

/// Those of the job of that name. Each filter is made once in a process, so that it may count and remember.
pub(super) fn of(job: &JobName) -> Chain {
    all().get(job).cloned().unwrap_or_default()
}

/// Makes all of them, and tells whether one can't be made.
pub(crate) fn check() -> Result<(), String> {
    let made = std::panic::catch_unwind(|| {
        all();
    });
    made.map_err(|panic| format!("a filter beside a job can't be made: {}", panic_message(panic)))
}

pub(super) fn are_none() -> bool {
    all().is_empty()
}

fn all() -> &'static HashMap<JobName, Chain> {
    static DECLARED: OnceLock<HashMap<JobName, Chain>> = OnceLock::new();
    DECLARED.get_or_init(|| {
        let mut all: HashMap<JobName, Vec<_>> = HashMap::new();
        for descriptor in inventory::iter::<FilterDescriptor> {
            all.entry((descriptor.job)()).or_default().extend((descriptor.filters)().0);
        }
        all.into_iter().map(|(job, filters)| (job, Arc::from(filters))).collect()
    })
}
