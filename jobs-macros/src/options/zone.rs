//! Names of time zones.

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
    let problem = match unknown.near() {
        Some(near) => with_sign(near, problem.help(format!("did you mean `tz = \"{near}\"`?"))),
        None => problem
            .help("write a name of the IANA database, such as `\"Europe/Berlin\"` or `\"UTC\"`")
            .note("an offset or an abbreviation does not tell when clocks change"),
    };
    errors.at(literal, problem);
    None
}

/// Who writes `GMT+8` means hours ahead of UTC, and this database the opposite.
fn with_sign(near: &str, problem: Problem) -> Problem {
    if near.starts_with("Etc/GMT") && near.contains(['+', '-']) {
        problem.note("in these names the sign is turned round: `Etc/GMT-8` is 8 hours ahead of UTC")
    } else {
        problem
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
        let message = message("GMT+8");
        assert!(message.contains("did you mean `tz = \"Etc/GMT+8\"`?"), "{message}");
        assert!(message.contains("the sign is turned round"), "{message}");
    }

    #[test]
    fn without_a_near_name_the_kind_of_names_is_told() {
        let message = message("+08:00");
        assert!(message.contains("such as `\"Europe/Berlin\"`"), "{message}");
    }
}
