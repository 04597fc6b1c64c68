//! What most programs with jobs need: `use jobs_runtime::prelude::*;`.

// Their links to other pages lead there from the page of the crate only.
#[doc(no_inline)]
pub use jobs_macros::{job, jobs, recurring};
pub use tokio_util::sync::CancellationToken;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use crate::storage::JobTx;
pub use crate::{
    client::{Client, Enqueue, EnqueueError, JobHandle, WaitError, set_client},
    job::{Data, FromContext, Job, JobContext, JobError, JobId, JobName, JobSettings, QueueName, RetryPolicy},
    schedule::{Cron, Misfire, Overlap, ScheduleOptions},
    server::JobServer,
};
