use std::fmt;

use chrono_tz::{TZ_VARIANTS, Tz};

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
/// ```
pub fn zone(name: &str) -> Result<Tz, UnknownZone> {
    name.parse().map_err(|_| UnknownZone { name: name.into(), near: nearest(name) })
}

/// The text is not the name of a time zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownZone {
    name: Box<str>,
    near: Option<&'static str>,
}

impl UnknownZone {
    /// The text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that may have been meant.
    #[must_use]
    pub const fn near(&self) -> Option<&'static str> {
        self.near
    }
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a time zone; ", self.name)?;
        match self.near {
            Some(near) => write!(f, "did you mean `{near}`?"),
            None => f.write_str("use a name of the IANA database, such as `Europe/Berlin` or `UTC`"),
        }
    }
}

impl std::error::Error for UnknownZone {}

/// The name most like `wanted`, where people often leave out the region or write a blank for `_`.
fn nearest(wanted: &str) -> Option<&'static str> {
    let wanted = wanted.trim().to_lowercase().replace(' ', "_");
    let likeness = |name: &'static str| {
        let name = name.to_lowercase();
        let city = name.rsplit('/').next().unwrap_or_default();
        let whole = strsim::normalized_damerau_levenshtein(&wanted, &name);
        whole.max(strsim::normalized_damerau_levenshtein(&wanted, city) - 0.01)
    };
    TZ_VARIANTS
        .iter()
        .map(|zone| (likeness(zone.name()), zone.name()))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn names_are_found_by_what_people_write() {
        for (written, meant) in [
            ("Asia/Shangai", Some("Asia/Shanghai")),
            ("america/new york", Some("America/New_York")),
            ("Berlin", Some("Europe/Berlin")),
            ("utc", Some("UTC")),
            ("Etc/Nowhere At All", None),
            ("", None),
        ] {
            assert_eq!(zone(written).expect_err(written).near(), meant, "{written}");
        }
    }

    #[test]
    fn an_error_says_what_to_write() {
        let error = zone("CEST+1").expect_err("no zone").to_string();
        assert!(error.starts_with("`CEST+1` is not a time zone; "), "{error}");
    }
}
