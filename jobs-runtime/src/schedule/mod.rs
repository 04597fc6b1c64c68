//! When recurring jobs are due: cron expressions, time zones, and what becomes of slots that were missed.
//!
//! A *schedule* calls a job at the times of a cron expression. Such a time is a *slot*. Schedules stand in the source, as
//! [`#[recurring]`](macro@crate::recurring), or are added at run time, by [`Recurring`](crate::client::Recurring).
//!
//! # Expressions
//!
//! The grammar and its meaning are those of [Cronos](https://github.com/HangfireIO/Cronos), the cron library of Hangfire;
//! the grammar is described at [`CronExpression`](CronExpression#grammar).
//!
//! If the day of month and the day of week are both given, **both must hold**, unlike in Unix cron, where one is enough:
//! `0 9 13 * FRI` is each Friday the 13th.
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
//!
//! # Slots and jobs
//!
//! The rules are [Hangfire's](https://www.hangfire.io).
//!
//! * Slots count from one second before the schedule was made, so that a slot at that very moment is its first. From
//!   then on they count from the last time that jobs were made.
//! * A slot that comes while a server runs becomes a job within milliseconds, and once: however many servers there are,
//!   the storage takes one job of each (schedule, slot).
//! * [`Misfire`] says what becomes of slots that came while no server ran. The job's
//!   [slot](crate::job::JobContext::slot) is then:
//!
//! | mode | jobs | slot of each | |
//! |---|---|---|---|
//! | [`Relaxed`](Misfire::Relaxed) | one | now | the default |
//! | [`Strict`](Misfire::Strict) | one for each slot | its own | of more than [`max_missed`](ScheduleOptions::max_missed) the latest; what was dropped is logged, and [shown](crate::client::Schedule::dropped) |
//! | [`Ignorable`](Misfire::Ignorable) | one for each slot that is not too old | its own | not too old is twice the [polling interval](crate::server::JobServerBuilder::schedule_poll_interval); of more than 1,000 the latest, as above |
//!
//! * A schedule that is written again as it is keeps its next slot, and nothing is written. If its expression or its zone
//!   has changed, slots count from now: nothing of the past is made up for.
//! * A clock that is set back repeats no slot. One that was more than an hour ahead has put its schedules there: they
//!   count from now, with a warning, when the next server starts or they are written again.
//! * A schedule that a server can't compute, or whose job it doesn't know, it leaves to other servers. If none of them
//!   makes the job for some seconds, the schedule is [shown as in error](crate::client::Schedule::error). It is tried
//!   again all the time, and goes on by itself when the cause has gone.

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
