use chrono_tz::Tz;
use jobs_cron::{CronError, UnknownZone, zone};

use super::CronSchedule;
use crate::job::{InvalidQueueName, QueueName};

/// What becomes of slots that were missed, because no server was running when they came.
///
/// The modes are Hangfire's. A slot that comes while a server runs is one job in all of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Misfire {
    /// However many were missed, there is one job, whose slot is the time at which it is made up for.
    #[default]
    Relaxed,
    /// Each missed slot becomes a job with its own slot; of very many, the latest, as many as
    /// [`max_missed`](ScheduleOptions::max_missed) says.
    Strict,
    /// They are left out, but for those within twice the
    /// [polling interval](crate::server::JobServerBuilder::schedule_poll_interval); of these the latest 1,000.
    Ignorable,
}

impl Misfire {
    /// Its name, as in `#[recurring(misfire = "…")]`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Strict => "strict",
            Self::Ignorable => "ignorable",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Relaxed, Self::Strict, Self::Ignorable].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// What happens at a slot while an earlier job of the schedule has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Overlap {
    /// There is another job.
    #[default]
    Allow,
    /// There is none: the slot is skipped. A job has ended when it is Succeeded, Failed or Deleted; while it waits for
    /// a retry it has not.
    ///
    /// Jobs that are [triggered](crate::client::Recurring::trigger) by hand count as earlier jobs. A trigger itself is
    /// never skipped.
    Skip,
}

impl Overlap {
    /// Its name, as in `#[recurring(overlap = "…")]`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Allow, Self::Skip].into_iter().find(|choice| choice.as_str() == name)
    }
}

/// How a schedule is to be followed; what isn't said is as in [`ScheduleOptions::new`].
///
/// ```
/// use jobs_runtime::schedule::{Misfire, Overlap, ScheduleOptions};
///
/// let options = ScheduleOptions::new().tz("Asia/Shanghai").queue("reports").misfire(Misfire::Strict).overlap(Overlap::Skip);
/// ```
#[derive(Clone, Debug)]
pub struct ScheduleOptions {
    pub(crate) tz: Result<Tz, UnknownZone>,
    pub(crate) queue: Option<Result<QueueName, InvalidQueueName>>,
    pub(crate) misfire: Misfire,
    pub(crate) max_missed: Option<u32>,
    pub(crate) overlap: Overlap,
}

impl ScheduleOptions {
    /// How many missed slots are made up for under [`Misfire::Strict`] unless it is said otherwise.
    pub const DEFAULT_MAX_MISSED: u32 = 1_000;

    /// The most that can be said.
    pub const LARGEST_MAX_MISSED: u32 = 10_000;

    /// UTC, the queue of the job's type, [`Misfire::Relaxed`], [`Overlap::Allow`].
    #[must_use]
    pub const fn new() -> Self {
        Self { tz: Ok(Tz::UTC), queue: None, misfire: Misfire::Relaxed, max_missed: None, overlap: Overlap::Allow }
    }

    /// The time zone whose wall clock the expression means: a [`Tz`], or its name such as `"Asia/Shanghai"`.
    ///
    /// A text that isn't the name of one is refused when the schedule is to be stored.
    #[must_use]
    pub fn tz(mut self, tz: impl IntoTz) -> Self {
        self.tz = tz.into_tz();
        self
    }

    /// The queue of its jobs, instead of their type's.
    ///
    /// A text that isn't a [`QueueName`] is refused when the schedule is to be stored.
    #[must_use]
    pub fn queue(mut self, queue: impl AsRef<str>) -> Self {
        self.queue = Some(QueueName::new(queue.as_ref()));
        self
    }

    /// What becomes of missed slots.
    #[must_use]
    pub const fn misfire(mut self, misfire: Misfire) -> Self {
        self.misfire = misfire;
        self
    }

    /// How many missed slots are made up for at once under [`Misfire::Strict`], from 1 to 10,000; 1,000 if not said.
    /// The latest are; that others were dropped is logged, and shown with the schedule.
    #[must_use]
    pub const fn max_missed(mut self, slots: u32) -> Self {
        self.max_missed = Some(slots);
        self
    }

    /// What happens while an earlier job of the schedule has not ended.
    #[must_use]
    pub const fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A time zone, or its name.
pub trait IntoTz {
    /// The zone.
    ///
    /// # Errors
    ///
    /// [`UnknownZone`] if the text is not the name of one.
    fn into_tz(self) -> Result<Tz, UnknownZone>;
}

impl IntoTz for Tz {
    fn into_tz(self) -> Result<Tz, UnknownZone> {
        Ok(self)
    }
}

impl IntoTz for &str {
    fn into_tz(self) -> Result<Tz, UnknownZone> {
        zone(self)
    }
}

impl IntoTz for String {
    fn into_tz(self) -> Result<Tz, UnknownZone> {
        zone(&self)
    }
}

/// A cron expression, read or as text; also what [`Cron`](super::Cron) returns.
pub trait IntoCron {
    /// The expression.
    ///
    /// # Errors
    ///
    /// [`CronError`] if the text is none.
    fn into_cron(self) -> Result<CronSchedule, CronError>;
}

impl IntoCron for CronSchedule {
    fn into_cron(self) -> Result<CronSchedule, CronError> {
        Ok(self)
    }
}

impl IntoCron for Result<CronSchedule, CronError> {
    fn into_cron(self) -> Result<CronSchedule, CronError> {
        self
    }
}

impl IntoCron for &str {
    fn into_cron(self) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(self)
    }
}

impl IntoCron for String {
    fn into_cron(self) -> Result<CronSchedule, CronError> {
        CronSchedule::parse(&self)
    }
}
