use super::{Misfire, Overlap};
use crate::job::{ArgumentsError, Invocation, JobName, Location};

/// A schedule that stands in the source.
///
/// `#[recurring]` submits one of these, and every server that starts finds all that are linked into its program.
#[derive(Clone, Copy, Debug)]
pub struct RecurringDescriptor {
    pub(crate) job: fn() -> JobName,
    pub(crate) invocation: fn() -> Result<Invocation, ArgumentsError>,
    pub(crate) cron: &'static str,
    pub(crate) package: &'static str,
    pub(crate) location: Location,
    pub(crate) id: Option<&'static str>,
    pub(crate) tz: &'static str,
    pub(crate) queue: Option<&'static str>,
    pub(crate) misfire: Misfire,
    pub(crate) max_missed: Option<u32>,
    pub(crate) overlap: Overlap,
}

impl RecurringDescriptor {
    /// Calls `invocation` of `job` by the expression `cron`, in UTC.
    #[must_use]
    pub const fn new(
        job: fn() -> JobName,
        invocation: fn() -> Result<Invocation, ArgumentsError>,
        cron: &'static str,
        package: &'static str,
        location: Location,
    ) -> Self {
        Self {
            job,
            invocation,
            cron,
            package,
            location,
            id: None,
            tz: "UTC",
            queue: None,
            misfire: Misfire::Relaxed,
            max_missed: None,
            overlap: Overlap::Allow,
        }
    }

    /// The call that it makes, with its arguments as they are now.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] if the arguments can't be written as JSON.
    pub fn invocation(&self) -> Result<Invocation, ArgumentsError> {
        (self.invocation)()
    }

    /// Its id, instead of the job's name.
    #[must_use]
    pub const fn id(mut self, id: &'static str) -> Self {
        self.id = Some(id);
        self
    }

    /// The name of its time zone.
    #[must_use]
    pub const fn tz(mut self, tz: &'static str) -> Self {
        self.tz = tz;
        self
    }

    /// The queue of its jobs.
    #[must_use]
    pub const fn queue(mut self, queue: &'static str) -> Self {
        self.queue = Some(queue);
        self
    }

    /// What becomes of missed slots.
    #[must_use]
    pub const fn misfire(mut self, misfire: Misfire) -> Self {
        self.misfire = misfire;
        self
    }

    /// How many of them are made up for.
    #[must_use]
    pub const fn max_missed(mut self, slots: u32) -> Self {
        self.max_missed = Some(slots);
        self
    }

    /// What happens while an earlier job has not ended.
    #[must_use]
    pub const fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }
}

inventory::collect!(RecurringDescriptor);
