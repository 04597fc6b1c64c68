//! What a backend needs to implement [`Storage`] and [`Monitor`](super::Monitor): for those who write one outside
//! this crate. Programs that only have jobs need nothing of it.
//!
//! A backend keeps rows and moves them; what follows from a move is decided here, once for all backends:
//!
//! | in the backend | it asks |
//! |---|---|
//! | a job entered a state: what becomes of those that await it? | [`release`] |
//! | a server died: where does the job go that it held? | [`lost`] |
//! | when does the job expire? | [`Retention::expiry`](super::Retention::expiry) |
//! | whom does a commit wake? | [`Effects`] |
//! | where does a page begin and end? | [`PageRequest::cursor`](super::PageRequest::cursor) and [`cursor`] |
//! | in which span does an outcome count? | [`Period::start`](super::Period::start), [`Statistics`](super::Statistics) |
//! | what does a text from the tables mean? | [`stored_job_name`], [`stored_queue_name`], [`stored_schedule_id`], [`history_data`] |
//!
//! The types that a [`Monitor`](super::Monitor) returns may get more fields. They are made by their constructors with
//! what they can't do without, and the fields set after that:
//!
//! ```
//! use jobs_runtime::{clock::Timestamp, state::StateName, storage::{JobSummary, backend}};
//! # let (id, at) = (jobs_runtime::job::JobId::generate(Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
//!
//! let name = backend::stored_job_name("my_app".to_owned(), "send".to_owned());
//! let mut job = JobSummary::new(id, name, "{}", at);
//! job.state = StateName::Processing;
//! job.attempts = 1;
//! ```
//!
//! A server or a client takes any `Arc<dyn Storage>`. [`guarded`] puts a time limit and a span round each verb, as the
//! storages of this crate have.
//!
//! A backend is right when it passes the suite of the feature `conformance`.

use std::{sync::Arc, time::Duration};

use super::{Guarded, Storage};
pub use super::{monitor::cursor, signals::Effects};
pub use crate::{
    clock::{LATEST, after, before},
    state::{Death, history_data, lost, release},
};
use crate::{
    job::{JobName, QueueName},
    schedule::ScheduleId,
};

/// How long a verb of this crate's storages may take, unless they are told otherwise.
pub const DEFAULT_LIMIT: Duration = Guarded::DEFAULT_LIMIT;

/// The same storage, with a span of [`tracing`] round each of its verbs, and with
/// [`Timeout`](super::StorageError::Timeout) for those that take longer than `limit`.
///
/// Nothing requires it. Without it, a verb that hangs holds up the one that asked.
#[must_use]
pub fn guarded(storage: Arc<dyn Storage>, limit: Duration) -> Arc<dyn Storage> {
    Arc::new(Guarded::new(storage, limit))
}

/// A job's name read back from a storage; it was checked when it was made.
#[must_use]
pub fn stored_job_name(type_name: String, method: String) -> JobName {
    JobName::stored(type_name, method)
}

/// A queue's name read back from a storage; it was checked when it was made.
#[must_use]
pub fn stored_queue_name(name: String) -> QueueName {
    QueueName::stored(name)
}

/// A schedule's id read back from a storage; it was checked when it was made.
#[must_use]
pub fn stored_schedule_id(id: String) -> ScheduleId {
    ScheduleId::stored(id)
}
