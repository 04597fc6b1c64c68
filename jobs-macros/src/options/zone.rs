//! Names of time zones.

use jobs_cron::UnknownZone;
use syn::LitStr;

use crate::diagnostic::{Errors, Problem};

/// The time zone named by `literal`, or reports why it is none.
pub(crate) fn read(literal: &LitStr, errors: &Errors) -> Option<String> {
    let name = literal.value();
    if name.is_empty() {
        let help = "write `tz = \"Europe/Berlin\"`, or remove `tz` to use UTC";
        errors.at(literal, Problem::new("a time zone needs a name").help(help));
        return None;
    }
    let unknown = match jobs_cron::zone(&name) {
        Ok(_) => return Some(name),
        Err(unknown) => unknown,
    };
    let problem = Problem::new(format!("`{}` is not a time zone", name.escape_debug())).caret(&name, 0..name.len());
    errors.at(literal, suggest(&unknown, problem));
    None
}

fn suggest(unknown: &UnknownZone, problem: Problem) -> Problem {
    let turned = "in names with `Etc/GMT` the sign is turned round: `Etc/GMT-8` is 8 hours ahead of UTC";
    if let Some(fixed) = fixed_offset(unknown.name()) {
        let help =
            format!("write a place, such as `tz = \"Europe/Berlin\"`, or the fixed offset as `tz = \"{fixed}\"`");
        return problem.help(help).note(turned);
    }
    match unknown.near() {
        Some(near) if near.starts_with("Etc/GMT") => {
            problem.help(format!("did you mean `tz = \"{near}\"`?")).note(turned)
        }
        Some(near) => problem.help(format!("did you mean `tz = \"{near}\"`?")),
        None => problem
            .help("write a name of the IANA database, such as `tz = \"Europe/Berlin\"` or `tz = \"UTC\"`")
            .note("an offset or an abbreviation does not tell when clocks change"),
    }
}

/// The name of the zone that is meant by `UTC+8`, `GMT+08:00` or `+8`: people count hours ahead of UTC, and these names
/// hours behind it.
fn fixed_offset(written: &str) -> Option<String> {
    let upper = written.to_uppercase();
    let offset = upper.trim_start_matches("UTC").trim_start_matches("GMT").trim();
    let (turned, hours) = match offset.split_at_checked(1)? {
        ("+", hours) => ('-', hours),
        ("-", hours) => ('+', hours),
        _ => return None,
    };
    let hours: u8 = hours.strip_suffix(":00").unwrap_or(hours).parse().ok()?;
    let name = format!("Etc/GMT{turned}{hours}");
    jobs_cron::zone(&name).is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::{fixed_offset, read};
    use crate::diagnostic::Errors;

    fn message(name: &str) -> String {
        let errors = Errors::new();
        assert_eq!(read(&syn::parse2(quote!(#name)).expect("a text"), &errors), None);
        errors.messages().remove(0)
    }

    #[test]
    fn an_offset_is_named_with_its_sign_turned_round() {
        for (offset, name) in [
            ("GMT+8", "Etc/GMT-8"),
            ("utc+08:00", "Etc/GMT-8"),
            ("-03", "Etc/GMT+3"),
            ("UTC -3", "Etc/GMT+3"),
            ("+14", "Etc/GMT-14"),
        ] {
            assert_eq!(fixed_offset(offset).as_deref(), Some(name), "{offset}");
        }
        for other in ["+05:30", "UTC", "UTC8", "+15", "CEST+1", "", "ü"] {
            assert_eq!(fixed_offset(other), None, "{other}");
        }
    }

    #[test]
    fn a_suggested_offset_comes_with_its_meaning() {
        let message = message("etc/gmt+8");
        assert!(message.contains("did you mean `tz = \"Etc/GMT+8\"`?"), "{message}");
        assert!(message.contains("the sign is turned round"), "{message}");
    }

    #[test]
    fn without_a_near_name_the_kind_of_names_is_told() {
        let message = message("Nowhere At All");
        assert!(message.contains("such as `tz = \"Europe/Berlin\"`"), "{message}");
    }
}
