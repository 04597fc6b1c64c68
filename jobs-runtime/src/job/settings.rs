use std::time::Duration;

use super::{QueueName, RetryPolicy};

/// What a job's calls get when they don't choose otherwise.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct JobSettings {
    /// The priority within the queue: higher numbers run first; 0 by default.
    pub priority: i16,
    /// Retries after a failure; [`RetryPolicy::HANGFIRE`] by default.
    pub retry: RetryPolicy,
    /// How long one run may take before it counts as failed; no limit by default. It is real time, not that of a
    /// test clock.
    ///
    /// A function that is not `async` can't be stopped: its token is cancelled, the run counts as failed, but its
    /// thread goes on until it returns, perhaps beside a retry. Let it look at its token now and then.
    pub timeout: Option<Duration>,
    /// How long the job is kept when its runs end, instead of what its storage says.
    pub retention: JobRetention,
    /// A checked queue name, as a text so that settings can be made up in constants.
    queue: &'static str,
}

impl JobSettings {
    /// Queue `default`, priority 0, Hangfire's ten retries, no timeout, kept as long as the storage says.
    pub const DEFAULT: Self = Self {
        queue: "default",
        priority: 0,
        retry: RetryPolicy::HANGFIRE,
        timeout: None,
        retention: JobRetention { succeeded: None, failed: None, deleted: None },
    };

    /// The same in another queue.
    ///
    /// # Panics
    ///
    /// If `queue` is not a [`QueueName`]; in a constant that is a compile error.
    #[must_use]
    pub const fn with_queue(mut self, queue: &'static str) -> Self {
        self.queue = QueueName::checked(queue);
        self
    }

    /// The same with another priority.
    #[must_use]
    pub const fn with_priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// The same with other retries.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The same with a time limit for one run.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The same with another time for which jobs are kept.
    #[must_use]
    pub const fn with_retention(mut self, retention: JobRetention) -> Self {
        self.retention = retention;
        self
    }

    /// The queue; `default` if none is named.
    #[must_use]
    pub const fn queue(&self) -> QueueName {
        QueueName::from_static(self.queue)
    }
}

/// How long a job is kept when one of its runs has ended, by the state it ends in; `None` for as long as its storage's
/// [`Retention`](crate::storage::Retention) says.
///
/// A job that is deleted by hand is kept as long as its storage says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JobRetention {
    /// When it has succeeded.
    pub succeeded: Option<Duration>,
    /// When it has failed for good.
    pub failed: Option<Duration>,
    /// When it was called off, by itself or by a filter.
    pub deleted: Option<Duration>,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
