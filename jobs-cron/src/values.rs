use std::fmt;

use crate::field::Field;

/// The values that a field allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Values(u64);

impl Values {
    /// Whether `value` is one of them. Sunday is 0, also where it was written as 7.
    ///
    /// ```
    /// # use jobs_cron::CronExpression;
    /// let weekend = CronExpression::parse("0 0 * * 6-7")?;
    /// assert_eq!(weekend.days_of_week().candidates().iter().collect::<Vec<_>>(), [0, 6]);
    /// # Ok::<(), jobs_cron::CronError>(())
    /// ```
    #[must_use]
    pub const fn contains(self, value: u8) -> bool {
        value < 64 && self.0 >> value & 1 == 1
    }

    /// All of them, from the lowest on.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |value| self.contains(*value))
    }

    /// Every `step`-th value from `first` to `last`; past the field's end and on from its start if `last` is less.
    pub(crate) fn stepped(field: Field, first: u8, last: u8, step: u8) -> Self {
        let step = usize::from(step.max(1));
        if first <= last {
            return (first..=last).step_by(step).map(|value| canonical(field, value)).collect();
        }
        let (first, period) = (canonical(field, first), field.period());
        let length = (last + period - first) % period;
        let round = |distance| field.min() + (first - field.min() + distance) % period;
        (0..=length).step_by(step).map(round).collect()
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Sunday has two numbers; one of them is used for it.
fn canonical(field: Field, value: u8) -> u8 {
    if field == Field::DaysOfWeek { value % 7 } else { value }
}

impl FromIterator<u8> for Values {
    fn from_iter<I: IntoIterator<Item = u8>>(values: I) -> Self {
        Self(values.into_iter().filter(|value| *value < 64).fold(0, |bits, value| bits | 1 << value))
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Values};

    fn stepped(field: Field, first: u8, last: u8, step: u8) -> Vec<u8> {
        Values::stepped(field, first, last, step).iter().collect()
    }

    #[test]
    fn a_range_whose_end_lies_before_its_start_goes_round_and_its_step_with_it() {
        assert_eq!(stepped(Field::Hours, 22, 2, 1), [0, 1, 2, 22, 23]);
        assert_eq!(stepped(Field::Hours, 23, 3, 2), [1, 3, 23]);
        assert_eq!(stepped(Field::DaysOfMonth, 20, 5, 5), [4, 20, 25, 30]);
        assert_eq!(stepped(Field::Months, 9, 8, 3), [3, 6, 9, 12]);
        assert_eq!(stepped(Field::Minutes, 45, 44, 1).len(), 60);
    }

    #[test]
    fn sunday_is_one_day_with_two_numbers() {
        assert_eq!(stepped(Field::DaysOfWeek, 4, 7, 1), [0, 4, 5, 6]);
        assert_eq!(stepped(Field::DaysOfWeek, 6, 2, 2), [1, 6]);
        assert_eq!(stepped(Field::DaysOfWeek, 7, 2, 2), [0, 2]);
        assert_eq!(stepped(Field::DaysOfWeek, 7, 0, 1), [0]);
        assert_eq!(stepped(Field::DaysOfWeek, 1, 7, 6), [0, 1]);
        assert_eq!(stepped(Field::DaysOfWeek, 0, 7, 1).len(), 7);
    }
}
