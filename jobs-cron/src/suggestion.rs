//! What may have been meant by a text that is no cron expression.

use crate::expression::{CronExpression, MACROS, spans};

/// A unit of time, in which intervals are said.
struct Unit {
    names: &'static [&'static str],
    /// The expression for every one of it.
    every: &'static str,
    /// The expression for every `{}` of it, if that divides the next larger unit.
    step: &'static str,
    /// How many of it are the next larger unit; 0 if it has none of a fixed length.
    in_next: u32,
}

const UNITS: [Unit; 7] = [
    Unit {
        names: &["s", "sec", "secs", "second", "seconds", "secondly"],
        every: "@every_second",
        step: "*/{} * * * * *",
        in_next: 60,
    },
    Unit {
        names: &["m", "min", "mins", "minute", "minutes", "minutely"],
        every: "@every_minute",
        step: "*/{} * * * *",
        in_next: 60,
    },
    Unit { names: &["h", "hr", "hrs", "hour", "hours", "hourly"], every: "@hourly", step: "0 */{} * * *", in_next: 24 },
    Unit { names: &["d", "day", "days", "daily", "midnight"], every: "@daily", step: "", in_next: 7 },
    Unit { names: &["w", "week", "weeks", "weekly"], every: "@weekly", step: "", in_next: 0 },
    Unit { names: &["month", "months", "monthly"], every: "@monthly", step: "0 0 1 */{} *", in_next: 12 },
    Unit { names: &["y", "year", "years", "yearly", "annually"], every: "@yearly", step: "", in_next: 0 },
];

/// An expression that may have been meant by `text`; it fires.
pub(crate) fn suggestion(text: &str) -> Option<String> {
    let found =
        interval(text).or_else(|| time_of_day(text)).or_else(|| like_macro(text)).or_else(|| by_fields(text))?;
    CronExpression::parse(&found).is_ok_and(|expression| !expression.never_fires()).then_some(found)
}

/// Whether the last field stands where other dialects have the year.
pub(crate) fn has_year(text: &str) -> bool {
    let spans = spans(text);
    let is_year = |last: &str| last.len() >= 4 && last.bytes().take(4).all(|byte| byte.is_ascii_digit());
    match spans.last() {
        Some(last) if spans.len() == 6 => is_year(&text[last.clone()]),
        Some(last) if spans.len() == 7 => matches!(&text[last.clone()], "*" | "?") || is_year(&text[last.clone()]),
        _ => false,
    }
}

/// `5m`, `daily`, `every 5 minutes`, `@every_hour`.
fn interval(text: &str) -> Option<String> {
    let text: String = words(text).into_iter().filter(|word| !["every", "each"].contains(&word.as_str())).collect();
    let (number, name) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let mut number: u32 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let mut units = UNITS.iter().skip_while(|unit| !unit.names.contains(&name));
    let mut unit = units.next()?;
    while number > 0 && unit.in_next > 0 && number.is_multiple_of(unit.in_next) {
        number /= unit.in_next;
        unit = units.next()?;
    }
    match number {
        0 => None,
        1 => Some(unit.every.to_owned()),
        // `*/7` in the minutes is not every 7 minutes: it starts again with each hour.
        _ => (unit.in_next > 0 && unit.in_next.is_multiple_of(number))
            .then(|| unit.step.replace("{}", &number.to_string())),
    }
}

/// `9:30`, `daily at 9:30`.
fn time_of_day(text: &str) -> Option<String> {
    let mut words = words(text);
    words.retain(|word| !["every", "each", "day", "daily", "at"].contains(&word.as_str()));
    let [time] = &words[..] else { return None };
    let (hours, minutes) = time.split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(format!("{minutes} {hours} * * *"))
}

/// `@dayly`
fn like_macro(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&text, name);
    MACROS
        .iter()
        .map(|(name, _)| (likeness(name), *name))
        .filter(|(likeness, _)| text.starts_with('@') && *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name.to_owned())
}

/// The fields without a year, or with `*` for those that are missing at the end.
fn by_fields(text: &str) -> Option<String> {
    let mut fields: Vec<&str> = spans(text).into_iter().map(|span| &text[span]).collect();
    match fields.len() {
        1 if !text.contains("*/") => return None,
        1..=4 => fields.resize(5, "*"),
        _ if has_year(text) => fields.truncate(fields.len() - 1),
        _ => return None,
    }
    Some(fields.join(" "))
}

fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let text = text.trim().trim_start_matches('@');
    text.split([' ', '\t', '_', '-']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn what_people_write_is_translated() {
        for (written, meant) in [
            ("5m", "*/5 * * * *"),
            ("every 5 minutes", "*/5 * * * *"),
            ("Every 30s", "*/30 * * * * *"),
            ("@every 1h", "@hourly"),
            ("@every_hour", "@hourly"),
            ("@every_5_minutes", "*/5 * * * *"),
            ("@minutely", "@every_minute"),
            ("120m", "0 */2 * * *"),
            ("24h", "@daily"),
            ("7 days", "@weekly"),
            ("daily", "@daily"),
            ("midnight", "@daily"),
            ("every 3 months", "0 0 1 */3 *"),
            ("9:30", "30 9 * * *"),
            ("daily at 09:00", "0 9 * * *"),
            ("@dayly", "@daily"),
            ("0 0 9 * * MON-FRI 2026", "0 0 9 * * MON-FRI"),
            ("0 0 9 * * ? *", "0 0 9 * * ?"),
            ("0 9 * * ? 2026-2030", "0 9 * * ?"),
            (" 30  9 * * ", "30 9 * * *"),
            ("*/5", "*/5 * * * *"),
        ] {
            assert_eq!(suggestion(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn nothing_is_suggested_that_means_something_else() {
        for written in [
            "",
            "5",
            "every 7 minutes",
            "90m",
            "0s",
            "2 days",
            "every",
            "now",
            "@reboot",
            "9:61",
            "a:b",
            "9 30",
            "0 9 MON",
            "0 0 0 9 * * MON",
            "1 2 3 4 5 6 7 8",
            "0 0 31 2 * * 2026",
            "99999999999m",
            "5 ü",
        ] {
            assert_eq!(suggestion(written), None, "{written}");
        }
    }
}
