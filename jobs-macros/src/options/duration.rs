//! The grammar of durations: `30s`, `500ms`, `1h 30m`.

use std::{ops::Range, time::Duration};

use syn::LitStr;

use crate::diagnostic::{Errors, Problem};

/// What a duration may look like, for messages.
const ACCEPTED: &str = "write numbers with the units `d`, `h`, `m`, `s` and `ms`, such as `\"30s\"` or `\"1h 30m\"`";

/// Milliseconds of each unit, from large to small.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Words that people write for a unit.
const LONG_UNITS: [(&str, &[&str]); 5] = [
    ("d", &["D", "day", "days"]),
    ("h", &["H", "hr", "hrs", "hour", "hours"]),
    ("m", &["M", "min", "mins", "minute", "minutes"]),
    ("s", &["S", "sec", "secs", "second", "seconds"]),
    ("ms", &["msec", "msecs", "millis", "millisecond", "milliseconds"]),
];

/// A hundred years: more than that is a slip, and adding it to a date could overflow.
const MAX: Duration = Duration::from_secs(36_500 * 86_400);

/// Reads the duration in `literal`, or reports why it is none.
pub(crate) fn read(literal: &LitStr, errors: &Errors) -> Option<Duration> {
    let text = literal.value();
    match parse(&text) {
        Ok(duration) => Some(duration),
        Err(mistake) => {
            let problem = Problem::new(format!("invalid duration: {}", mistake.what)).caret(&text, mistake.at);
            errors.at(literal, problem.help(mistake.help.unwrap_or_else(|| ACCEPTED.to_owned())));
            None
        }
    }
}

/// The shortest text of a duration that [`read`] accepts.
pub(crate) fn text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// Why a text is not a duration.
#[derive(PartialEq, Eq, Debug)]
struct Mistake {
    what: String,
    at: Range<usize>,
    help: Option<String>,
}

impl Mistake {
    fn new(what: impl Into<String>, at: Range<usize>) -> Self {
        Self { what: what.into(), at, help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

fn parse(text: &str) -> Result<Duration, Mistake> {
    if text.trim().is_empty() {
        return Err(Mistake::new("it is empty", 0..text.len()));
    }
    let mut cursor = Cursor { text, at: 0 };
    let (mut millis, mut last_unit) = (0_u64, None);
    while !cursor.skip_spaces() {
        let start = cursor.at;
        let number = cursor.number()?;
        let (index, size) = cursor.unit(start)?;
        let part = start..cursor.at;
        if last_unit.is_some_and(|last| last >= index) {
            let help = "write each unit once, from large to small, such as `\"1h 30m\"`";
            return Err(Mistake::new("units go from large to small", part).help(help));
        }
        last_unit = Some(index);
        millis = number
            .checked_mul(size)
            .and_then(|part| millis.checked_add(part))
            .filter(|millis| u128::from(*millis) <= MAX.as_millis())
            .ok_or_else(|| Mistake::new("it is longer than a hundred years", part).help("write at most `36500d`"))?;
    }
    Ok(Duration::from_millis(millis))
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes the characters that `wanted` accepts.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Whether nothing follows the spaces.
    fn skip_spaces(&mut self) -> bool {
        self.take(|c| c == ' ');
        self.rest().is_empty()
    }

    fn number(&mut self) -> Result<u64, Mistake> {
        let start = self.at;
        let digits = self.take(|c| c.is_ascii_digit());
        if digits.is_empty() {
            let end = start + self.rest().chars().next().map_or(1, char::len_utf8);
            return Err(Mistake::new("expected a number", start..end));
        }
        if self.rest().starts_with(['.', ',']) {
            self.at += 1;
            self.take(|c| c.is_ascii_digit());
            let help = "write the fraction in a smaller unit, such as `\"1s 500ms\"`";
            return Err(Mistake::new("a number has no fraction", start..self.at).help(help));
        }
        digits.parse().map_err(|_| Mistake::new("the number is too large", start..self.at))
    }

    /// The position of the unit among [`UNITS`], and its length.
    fn unit(&mut self, number_start: usize) -> Result<(usize, u64), Mistake> {
        let number_end = self.at;
        self.skip_spaces();
        let start = self.at;
        let word = self.take(|c| !c.is_ascii_digit() && c != ' ');
        if word.is_empty() {
            let number = &self.text[number_start..number_end];
            let help = format!("write `\"{number}s\"` for seconds; the units are `d`, `h`, `m`, `s` and `ms`");
            return Err(Mistake::new("a number needs a unit", number_start..number_end).help(help));
        }
        if start > number_end {
            let unit = short(word).unwrap_or(word);
            let help = format!("write `{}{unit}`", &self.text[number_start..number_end]);
            return Err(Mistake::new("a unit follows its number without a space", number_end..start).help(help));
        }
        match UNITS.iter().position(|(unit, _)| *unit == word) {
            Some(index) => Ok((index, UNITS[index].1)),
            None => Err(unknown_unit(word, start..self.at)),
        }
    }
}

fn unknown_unit(word: &str, at: Range<usize>) -> Mistake {
    let mistake = Mistake::new(format!("unknown unit `{}`", word.escape_debug()), at);
    match short(word) {
        Some(unit) => mistake.help(format!("write `{unit}`; the units are `d`, `h`, `m`, `s` and `ms`")),
        None => mistake,
    }
}

/// The unit that is meant by its whole name.
fn short(word: &str) -> Option<&'static str> {
    LONG_UNITS.iter().find(|(_, words)| words.contains(&word)).map(|(unit, _)| *unit)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse, text};

    #[test]
    fn durations_are_read() {
        for (written, millis) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            (" 1d 2h 3m 4s 5ms ", 93_784_005),
            ("0s", 0),
            ("36500d", 3_153_600_000_000),
        ] {
            assert_eq!(parse(written), Ok(Duration::from_millis(millis)), "{written}");
        }
    }

    #[test]
    fn a_mistake_is_underlined() {
        for (written, underlined, what) in [
            ("", "", "empty"),
            ("  ", "  ", "empty"),
            ("30", "30", "needs a unit"),
            ("1h 30", "30", "needs a unit"),
            ("30 s", " ", "without a space"),
            ("30sec", "sec", "unknown unit `sec`"),
            ("30µs", "µs", "unknown unit `µs`"),
            ("1.5s", "1.5", "no fraction"),
            ("soon", "s", "expected a number"),
            ("-5s", "-", "expected a number"),
            ("é", "é", "expected a number"),
            ("30m 1h", "1h", "large to small"),
            ("1h 1h", "1h", "large to small"),
            ("36501d", "36501d", "hundred years"),
            ("99999999999999999d", "99999999999999999d", "hundred years"),
            ("99999999999999999999s", "99999999999999999999", "too large"),
        ] {
            let mistake = parse(written).expect_err(written);
            assert_eq!(&written[mistake.at.clone()], underlined, "{written}: {mistake:?}");
            assert!(mistake.what.contains(what), "{written}: {mistake:?}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for written in ["30s", "1h 30m", "1d 2h 3m 4s 5ms", "0s"] {
            assert_eq!(text(parse(written).expect("a duration")), written);
        }
    }
}
