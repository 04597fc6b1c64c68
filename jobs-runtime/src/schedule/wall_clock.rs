use std::hash;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use jobs_cron::{CronExpression, Day};

use super::engine::Engine;

/// The last year in which anything is found.
const LAST_YEAR: i32 = 9999;

/// The times that a wall clock shows when an expression fires, regardless of time zones.
///
/// The engine searches the time, and the days as far as it can tell them; the expression decides which of those days
/// count.
#[derive(Debug)]
pub(super) struct WallClock {
    expression: CronExpression,
    engine: Engine,
    never_fires: bool,
}

impl WallClock {
    pub(super) fn new(expression: CronExpression) -> Self {
        let (engine, never_fires) = (Engine::new(&expression), expression.never_fires());
        Self { expression, engine, never_fires }
    }

    pub(super) const fn expression(&self) -> &CronExpression {
        &self.expression
    }

    pub(super) const fn never_fires(&self) -> bool {
        self.never_fires
    }

    /// The first time that isn't before `start`, a whole second.
    pub(super) fn first_from(&self, start: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.never_fires {
            return None;
        }
        // What fires at all does so within forty years, so this ends soon.
        (start.year()..=LAST_YEAR).filter(|year| self.expression.fires_in(*year)).find_map(|year| {
            let new_year = NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN);
            self.first_in_year(start.max(new_year))
        })
    }

    /// The first time from `start` on in its year.
    fn first_in_year(&self, mut start: NaiveDateTime) -> Option<NaiveDateTime> {
        let year = start.year();
        loop {
            let found = self.engine.first_in_year(start)?;
            if self.fires_on(found.date()) {
                return Some(found);
            }
            start = found.date().succ_opt().filter(|next| next.year() == year)?.and_time(NaiveTime::MIN);
        }
    }

    fn fires_on(&self, date: NaiveDate) -> bool {
        let part = |number| u8::try_from(number).ok();
        let day = part(date.month()).zip(part(date.day()));
        day.and_then(|(month, day)| Day::new(date.year(), month, day)).is_some_and(|day| self.expression.fires_on(day))
    }
}

impl PartialEq for WallClock {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl Eq for WallClock {}

impl hash::Hash for WallClock {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.expression.hash(state);
    }
}
