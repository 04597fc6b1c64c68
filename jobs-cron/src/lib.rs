//! The grammar of cron expressions, in the dialect of Cronos, the cron library of Hangfire.
//!
//! This crate reads an expression, whose grammar is described at [`CronExpression`], tells exactly what is wrong with
//! one, and knows on which days it fires. It knows the names of time zones, but searches no times:
//! `jobs_runtime::schedule` does. The macros use it too, to check a schedule when the program is compiled.
//!
//! ```
//! use jobs_cron::{CronExpression, Field};
//!
//! let weekdays = CronExpression::parse("*/5 9-17 * * MON-FRI")?;
//! assert!(weekdays.hours().contains(12) && !weekdays.never_fires());
//!
//! let error = CronExpression::parse("0 25 * * *").unwrap_err();
//! assert_eq!((error.field(), error.range(), error.found()), (Some(Field::Hours), 2..4, "25"));
//! assert_eq!(error.to_string(), "`25` in the field `Hours` of `0 25 * * *` is out of range: use 0 to 23");
//! assert_eq!(error.caret().to_string(), "  | 0 25 * * *\n  |   ^^");
//! # Ok::<(), jobs_cron::CronError>(())
//! ```

mod calendar;
mod caret;
mod cursor;
mod days;
mod error;
mod expression;
mod field;
mod fields;
mod suggestion;
mod values;
mod zone;
mod zone_names;

pub use calendar::Day;
pub use caret::Caret;
pub use days::{DayOfMonth, DayOfWeek};
pub use error::{CronError, CronErrorKind};
pub use expression::CronExpression;
pub use field::Field;
pub use values::Values;
pub use zone::{UnknownZone, zone};
