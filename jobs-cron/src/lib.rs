//! The grammar of cron expressions, in the dialect of Cronos, the cron library of Hangfire.
//!
//! This crate reads an expression, tells exactly what is wrong with one, and knows on which days it fires. It knows the
//! names of time zones, but searches no times: `jobs_runtime::schedule` does. The macros use it too, to check a schedule
//! when the program is compiled.
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
//!
//! # Fields
//!
//! Five fields, or six with the seconds first; spaces or tabs stand between them.
//!
//! | field | values | also |
//! |---|---|---|
//! | Seconds | 0–59 | |
//! | Minutes | 0–59 | |
//! | Hours | 0–23 | |
//! | Days of month | 1–31 | `L` the last day, `L-3` three days before it, `15W` the weekday nearest to the 15th, `LW`, `L-3W` |
//! | Months | 1–12 or `JAN`–`DEC` | |
//! | Days of week | 0–7 or `SUN`–`SAT`; 0 and 7 are Sunday | `5L` the last Friday, `5#2` the second Friday |
//!
//! Each field is `*` or `?`, which mean every value, or a list of values and ranges. `*/n`, `a/n` and `a-b/n` take every
//! n-th value; `a/n` goes on to the end of the field. A range whose end lies before its start goes round: `22-2` is 22,
//! 23, 0, 1, 2. If the days of the month and the days of the week are both given, **both must hold**.
//!
//! Or a macro: `@every_second`, `@every_minute`, `@hourly`, `@daily` (or `@midnight`), `@weekly`, `@monthly`, `@yearly`
//! (or `@annually`). Upper and lower case are the same everywhere.

mod calendar;
mod caret;
mod cursor;
mod days;
mod error;
mod expression;
mod field;
mod fields;
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
