//! A position in one field, and the small pieces that fields are made of.

use std::ops::{Range, RangeInclusive};

use crate::{
    error::{CronError, CronErrorKind},
    field::Field,
};

#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    /// The whole expression, for messages.
    text: &'a str,
    at: usize,
    end: usize,
    field: Field,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, field: Field, bytes: Range<usize>) -> Self {
        Self { text, at: bytes.start, end: bytes.end, field }
    }

    pub(crate) const fn field(&self) -> Field {
        self.field
    }

    /// Takes `wanted` if it comes next, in upper or lower case.
    pub(crate) fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with([wanted, wanted.to_ascii_lowercase()]);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    /// A value of the field: a number, or a name.
    pub(crate) fn value(&mut self) -> Result<u8, CronError> {
        let letters = self.run(|c| c.is_ascii_alphabetic());
        if letters.is_empty() {
            return self.number(self.field.min()..=self.field.max());
        }
        // `FRIL` is the last Friday: the letter isn't a part of the name.
        let names_last = self.field == Field::DaysOfWeek && letters.len() == 4 && letters.ends_with(['L', 'l']);
        let name = if names_last { &letters[..3] } else { letters };
        match self.field.names().iter().position(|known| known.eq_ignore_ascii_case(name)) {
            Some(index) => {
                self.at += name.len();
                Ok(self.field.min() + u8::try_from(index).unwrap_or_default())
            }
            None => Err(self.unknown(self.field.min()..=self.field.max())),
        }
    }

    /// A number of one or two digits.
    pub(crate) fn number(&mut self, accepted: RangeInclusive<u8>) -> Result<u8, CronError> {
        let (min, max) = (*accepted.start(), *accepted.end());
        let digits = self.run(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.unknown(accepted));
        }
        // What overflows is certainly out of range.
        let number = digits.parse().unwrap_or(u8::MAX);
        let kind = match number {
            _ if !accepted.contains(&number) => CronErrorKind::OutOfRange { min, max },
            _ if digits.len() > 2 => CronErrorKind::TooManyDigits,
            _ => {
                self.at += digits.len();
                return Ok(number);
            }
        };
        Err(self.error(kind, digits.len()))
    }

    /// The field must end here.
    pub(crate) fn end(&self) -> Result<(), CronError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.error(CronErrorKind::Unexpected, self.word_len())) }
    }

    fn unknown(&self, accepted: RangeInclusive<u8>) -> CronError {
        let (min, max) = (*accepted.start(), *accepted.end());
        match self.rest().chars().next() {
            None | Some(',' | '-' | '/') => self.error(CronErrorKind::MissingValue { min, max }, 0),
            Some(_) => self.error(CronErrorKind::UnknownValue { min, max }, self.word_len()),
        }
    }

    fn error(&self, kind: CronErrorKind, len: usize) -> CronError {
        CronError::new(self.text, kind, Some(self.field), self.at..self.at + len)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn run(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
    }

    /// The letters and digits that come next, or else one character: what a message shows as wrong.
    fn word_len(&self) -> usize {
        match self.run(char::is_alphanumeric).len() {
            0 => self.rest().chars().next().map_or(0, char::len_utf8),
            len => len,
        }
    }
}
