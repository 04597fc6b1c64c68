//! Cron expressions: when a recurring job is due.
//!
//! The grammar and its meaning are those of Cronos, the cron library of Hangfire; the grammar is described at
//! [`CronExpression`].
//!
//! ```
//! use chrono::TimeZone;
//! use chrono_tz::America::New_York;
//! use jobs_runtime::schedule::{Cron, CronSchedule};
//!
//! let nightly = CronSchedule::parse("30 2 * * *")?;
//! assert_eq!(nightly, Cron::daily(2, 30)?);
//!
//! // On the 13th of March 2016, clocks there were put from 2:00 to 3:00.
//! let evening = New_York.with_ymd_and_hms(2016, 3, 12, 20, 0, 0).unwrap();
//! let next = nightly.next_after(&evening, false).unwrap();
//! assert_eq!(next.to_rfc3339(), "2016-03-13T03:00:00-04:00");
//! # Ok::<(), jobs_runtime::schedule::CronError>(())
//! ```
//!
//! # Where clocks change
//!
//! * A time that is skipped because clocks go forward comes at the first moment after the gap. Several of them become
//!   one.
//! * A time that comes twice because clocks go back counts once, the first time, if the expression gives *fixed times*.
//!   If it is an [*interval*](CronExpression::is_interval), with a `*`, `?`, range or step in its seconds, minutes or
//!   hours, both count.
//!
//! So the times at which a schedule fires are the same from wherever one looks, and each is later than the one before.
//! In two corners that goes beyond Cronos. The end of a gap into which a time falls is one of the times, also when the
//! search starts there inclusively. And Sunday written as 7 isn't lost at the start of a range with a step (`7-2/2`).

mod cron_schedule;
mod descriptor;
mod engine;
mod expressions;
mod fold;
mod options;
mod search;
mod timetable;
mod wall_clock;

pub use chrono_tz::Tz;
pub use jobs_cron::{
    Caret, CronError, CronErrorKind, CronExpression, Day, DayOfMonth, DayOfWeek, Field, UnknownZone, Values,
};

pub(crate) use self::timetable::{Catchup, Timetable};
pub use self::{
    cron_schedule::CronSchedule,
    descriptor::RecurringDescriptor,
    expressions::Cron,
    options::{IntoCron, IntoTz, Misfire, Overlap, ScheduleOptions},
};
pub use crate::job::{InvalidScheduleId, ScheduleId};
