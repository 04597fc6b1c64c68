use std::time::Duration;

use super::{QueueName, RetryPolicy};

/// What a job's calls get when they don't choose otherwise.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct JobSettings {
    /// The queue; `default` if none is named.
    pub queue: QueueName,
    /// The priority within the queue: higher numbers run first; 0 by default.
    pub priority: i16,
    /// Retries after a failure; [`RetryPolicy::HANGFIRE`] by default.
    pub retry: RetryPolicy,
    /// How long one run may take before it counts as failed; no limit by default.
    pub timeout: Option<Duration>,
}

impl JobSettings {
    /// Queue `default`, priority 0, Hangfire's ten retries, no timeout.
    pub const DEFAULT: Self =
        Self { queue: QueueName::DEFAULT, priority: 0, retry: RetryPolicy::HANGFIRE, timeout: None };

    /// The same in another queue.
    ///
    /// # Panics
    ///
    /// If `queue` is not a [`QueueName`]; in a constant that is a compile error.
    #[must_use]
    pub const fn with_queue(self, queue: &'static str) -> Self {
        Self { queue: QueueName::from_static(queue), priority: self.priority, retry: self.retry, timeout: self.timeout }
    }

    /// The same with another priority.
    #[must_use]
    pub const fn with_priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// The same with other retries.
    #[must_use]
    pub const fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { queue: self.queue, priority: self.priority, retry, timeout: self.timeout }
    }

    /// The same with a time limit for one run.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
