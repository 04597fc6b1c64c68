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
    let help = match unknown.near() {
        Some(fixed) if unknown.is_fixed_offset() => {
            format!("write a place, such as `tz = \"Europe/Berlin\"`, or the fixed offset as `tz = \"{fixed}\"`")
        }
        Some(near) => format!("did you mean `tz = \"{near}\"`?"),
        None => "write a name of the IANA database, such as `tz = \"Europe/Berlin\"` or `tz = \"UTC\"`".to_owned(),
    };
    let problem = problem.help(help);
    match unknown.note() {
        Some(note) => problem.note(note),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::read;
    use crate::diagnostic::Errors;

    fn message(name: &str) -> String {
        let errors = Errors::new();
        assert_eq!(read(&syn::parse2(quote!(#name)).expect("a text"), &errors), None);
        errors.messages().remove(0)
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
