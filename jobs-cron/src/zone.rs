use std::fmt;

use chrono_tz::Tz;

use crate::zone_names::{is_machine, nearest, region};

/// The time zone of this name in the IANA database, such as `Asia/Shanghai` or `UTC`.
///
/// # Errors
///
/// [`UnknownZone`] if there is none of exactly that name.
///
/// ```
/// assert!(jobs_cron::zone("Europe/Berlin").is_ok());
/// assert_eq!(
///     jobs_cron::zone("europe/berlin").unwrap_err().to_string(),
///     "`europe/berlin` is not a time zone; did you mean `Europe/Berlin`?"
/// );
/// assert_eq!(
///     jobs_cron::zone("Asia/Beijing").unwrap_err().to_string(),
///     "`Asia/Beijing` is not a time zone; did you mean `Asia/Shanghai`? \
///      (the database names each zone by one of its cities, and most cities are not in it)"
/// );
/// ```
pub fn zone(name: &str) -> Result<Tz, UnknownZone> {
    name.parse().map_err(|_| UnknownZone::new(name))
}

/// The text is not the name of a time zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownZone {
    name: Box<str>,
    near: Option<&'static str>,
    reason: Option<Reason>,
}

/// Why the text is none, where more can be said than that it is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reason {
    /// `+8`, which has a name with the other sign.
    FixedOffset,
    /// `etc/gmt+8`
    TurnedSign,
    /// `+05:30`, which has no name, or `CST`.
    OffsetOrAbbreviation,
    /// `Asia/Beijing`
    City,
    /// `Local`
    Machine,
}

impl UnknownZone {
    fn new(name: &str) -> Self {
        let (near, reason) = if let Some(fixed) = fixed_offset(name) {
            (Some(fixed), (fixed != "UTC").then_some(Reason::FixedOffset))
        } else if is_machine(name) {
            (None, Some(Reason::Machine))
        } else {
            match nearest(name) {
                Some(near) if near.is_other_city => (Some(near.zone), Some(Reason::City)),
                Some(near) => (Some(near.zone), near.zone.starts_with("Etc/GMT").then_some(Reason::TurnedSign)),
                None if offset(name).is_some() || is_abbreviation(name) => (None, Some(Reason::OffsetOrAbbreviation)),
                None => (None, region(name).map(|_| Reason::City)),
            }
        };
        Self { name: name.into(), near, reason }
    }

    /// The text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that may have been meant.
    ///
    /// ```
    /// let near = |name| jobs_cron::zone(name).unwrap_err().near();
    /// assert_eq!(near("Asia/Shangai"), Some("Asia/Shanghai"));
    /// assert_eq!(near("Europe/Frankfurt"), Some("Europe/Berlin"), "which has the same time");
    /// assert_eq!(near("+08:00"), Some("Etc/GMT-8"), "the sign is turned round in these names");
    /// assert_eq!(near("CST"), None);
    /// ```
    #[must_use]
    pub const fn near(&self) -> Option<&'static str> {
        self.near
    }

    /// Why there is no such name, if more can be said of that.
    #[must_use]
    pub const fn note(&self) -> Option<&'static str> {
        Some(match self.reason {
            Some(Reason::FixedOffset | Reason::TurnedSign) => {
                "in names with `Etc/GMT` the sign is turned round: `Etc/GMT-8` is 8 hours ahead of UTC"
            }
            Some(Reason::OffsetOrAbbreviation) => "an offset or an abbreviation does not tell when clocks change",
            Some(Reason::City) => "the database names each zone by one of its cities, and most cities are not in it",
            Some(Reason::Machine) => "a schedule has the same times on all servers, so its zone is not the machine's",
            None => return None,
        })
    }

    /// Whether the text is an offset from UTC, and [`near`](Self::near) the name of the zone that has always this one.
    #[must_use]
    pub const fn is_fixed_offset(&self) -> bool {
        matches!(self.reason, Some(Reason::FixedOffset))
    }
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a time zone; ", self.name)?;
        match self.near {
            Some(near) => write!(f, "did you mean `{near}`?")?,
            None => f.write_str("use a name of the IANA database, such as `Europe/Berlin` or `UTC`")?,
        }
        self.note().map_or(Ok(()), |note| write!(f, " ({note})"))
    }
}

impl std::error::Error for UnknownZone {}

/// The name of the zone that is meant by `UTC+8`, `GMT+08:00` or `+8`: people count hours ahead of UTC, and these names
/// hours behind it.
fn fixed_offset(written: &str) -> Option<&'static str> {
    let (before, sign, hours) = offset(written)?;
    if !["", "UTC", "GMT"].contains(&before.to_uppercase().as_str()) {
        return None;
    }
    let whole = match hours.strip_suffix(":00") {
        None if hours.len() == 4 => hours.strip_suffix("00")?,
        whole => whole.unwrap_or(hours),
    };
    let turned = if sign == '+' { '-' } else { '+' };
    let name = match whole.parse::<u8>().ok()? {
        0 => "UTC".to_owned(),
        hours => format!("Etc/GMT{turned}{hours}"),
    };
    name.parse().ok().map(Tz::name)
}

/// What stands before the sign, the sign, and the digits after it: of `UTC+8`, `GMT +08:00`, `CEST+1`.
fn offset(written: &str) -> Option<(&str, char, &str)> {
    let at = written.find(['+', '-'])?;
    let (before, signed) = written.split_at(at);
    let digits = signed[1..].trim();
    let is_offset = before.chars().all(|c| c.is_ascii_alphabetic() || c == ' ') && digits.starts_with(is_digit);
    is_offset.then_some((before.trim(), signed.chars().next()?, digits))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Whether it may be something like `CST`.
fn is_abbreviation(written: &str) -> bool {
    (2..=5).contains(&written.len()) && written.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::{fixed_offset, zone};

    #[test]
    fn an_offset_is_named_with_its_sign_turned_round() {
        for (offset, name) in [
            ("GMT+8", "Etc/GMT-8"),
            ("utc+08:00", "Etc/GMT-8"),
            ("+0800", "Etc/GMT-8"),
            ("-03", "Etc/GMT+3"),
            ("UTC -3", "Etc/GMT+3"),
            ("+14", "Etc/GMT-14"),
            ("+00:00", "UTC"),
        ] {
            assert_eq!(fixed_offset(offset), Some(name), "{offset}");
            assert_eq!(zone(offset).expect_err(offset).is_fixed_offset(), name != "UTC", "{offset}");
        }
        for other in ["+05:30", "+0530", "UTC", "UTC8", "+15", "CEST+1", "", "+", "ü"] {
            assert_eq!(fixed_offset(other), None, "{other}");
        }
    }

    #[test]
    fn it_is_told_why_there_is_no_such_name() {
        for (written, note) in [
            ("+05:30", Some("an offset or an abbreviation")),
            ("CST", Some("an offset or an abbreviation")),
            ("CEST", Some("an offset or an abbreviation")),
            ("+8", Some("in names with `Etc/GMT` the sign")),
            ("etc/gmt+8", Some("in names with `Etc/GMT` the sign")),
            ("Asia/Beijing", Some("the database names each zone by one of its cities")),
            ("Europe/Nowhere", Some("the database names each zone by one of its cities")),
            ("Local", Some("a schedule has the same times on all servers")),
            ("Asia/Shangai", None),
            ("Nowhere At All", None),
        ] {
            let found = zone(written).expect_err(written).note();
            assert!(
                found.is_some() == note.is_some() && found.unwrap_or_default().starts_with(note.unwrap_or_default()),
                "{written}: {found:?}"
            );
        }
    }

    #[test]
    fn an_error_says_what_to_write() {
        let error = zone("CEST+1").expect_err("no zone").to_string();
        assert!(error.starts_with("`CEST+1` is not a time zone; use a name of the IANA database"), "{error}");
        let error = zone("+08:00").expect_err("no zone").to_string();
        assert!(error.contains("did you mean `Etc/GMT-8`? (in names with `Etc/GMT` the sign is"), "{error}");
    }
}
