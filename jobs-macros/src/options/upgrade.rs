//! `version = 3, upgrade(v1 = from_v1, v2 = from_v2)`: which version the arguments are, and what makes it of earlier ones.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;

use super::{
    args::{self, Assignment},
    list::{Entries, Entry, Value},
};
use crate::diagnostic::{Errors, Problem};

/// The version of the arguments, and how the others are upgraded.
pub(crate) struct Versions {
    pub(crate) version: u32,
    /// From which version, by which function; each makes the next version.
    pub(crate) upgrades: Vec<(u32, TokenStream)>,
}

impl Versions {
    const FIRST: Self = Self { version: 1, upgrades: Vec::new() };

    pub(crate) fn parse(entries: &Entries, errors: &Errors) -> Self {
        Self::read(entries, errors).unwrap_or(Self::FIRST)
    }

    fn read(entries: &Entries, errors: &Errors) -> Option<Self> {
        let (version, upgrade) = (entries.get("version"), entries.get("upgrade"));
        let Some(version) = version else {
            let problem = Problem::new("`upgrade` needs `version`");
            errors.at(&upgrade?.key, problem.help("add `version = 2`, the version of the arguments as they are now"));
            return None;
        };
        let version = version.integer(1, u32::MAX, errors)?;
        if version.value > 1 && upgrade.is_none() {
            let before = version.value - 1;
            let problem = Problem::new(format!("`version = {}` needs an `upgrade`", version.value));
            let help = format!(
                "add `upgrade(v{before} = from_v{before})`, a function that makes these arguments of those before"
            );
            errors.at(&version.literal, problem.help(help));
        }
        let upgrades = upgrades(upgrade?, version.value, errors)?;
        Some(Self { version: version.value, upgrades })
    }
}

fn upgrades(entry: &Entry, version: u32, errors: &Errors) -> Option<Vec<(u32, TokenStream)>> {
    let Value::List(group) = &entry.value else {
        let problem = Problem::new("`upgrade` takes functions in parentheses");
        errors.at(&entry.key, problem.help(format!("write `{}`", entry.example)));
        return None;
    };
    let mut upgrades: Vec<(u32, TokenStream)> = Vec::new();
    for Assignment { name, value } in args::parse(group.stream(), entry.example, errors)? {
        let number = name.unraw().to_string().strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
        match number.filter(|from| (1..version).contains(from) && upgrades.iter().all(|(other, _)| other != from)) {
            Some(from) => upgrades.push((from, value)),
            None => {
                let problem = Problem::new(format!("`{name}` is no version before {version}, or is given twice"));
                errors.at(&name, problem.help(format!("write `{}`", entry.example)));
                return None;
            }
        }
    }
    upgrades.sort_by_key(|(from, _)| *from);
    let first = upgrades.first().map_or(version - 1, |(first, _)| *first);
    if let Some(missing) = (first..version).find(|from| upgrades.iter().all(|(given, _)| given != from)) {
        let problem = Problem::new(format!("nothing makes version {} of version {missing}", missing + 1));
        errors.at(&entry.key, problem.help(format!("add `v{missing} = from_v{missing}`")));
        return None;
    }
    Some(upgrades)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::{format_ident, quote};

    use crate::{diagnostic::Errors, options::JobOptions};

    fn read(tokens: TokenStream) -> (u32, Vec<u32>, Vec<String>) {
        let errors = Errors::new();
        let versions = JobOptions::parse(tokens, "app", &format_ident!("send"), &errors).versions;
        (versions.version, versions.upgrades.iter().map(|(from, _)| *from).collect(), errors.messages())
    }

    #[test]
    fn versions_are_upgraded_one_by_one() {
        assert_eq!(read(quote!()), (1, vec![], vec![]));
        assert_eq!(read(quote!(version = 1)), (1, vec![], vec![]));
        assert_eq!(read(quote!(version = 2, upgrade(v1 = from_v1))), (2, vec![1], vec![]));
        assert_eq!(read(quote!(version = 4, upgrade(v3 = old::third, v2 = second))), (4, vec![2, 3], vec![]));
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        for (tokens, start) in [
            (quote!(upgrade(v1 = from_v1)), "`upgrade` needs `version`"),
            (quote!(version = 2), "`version = 2` needs an `upgrade`"),
            (quote!(version = 0, upgrade(v1 = f)), "`0` is out of range for `version`"),
            (quote!(version = 2, upgrade = f), "`upgrade` takes functions in parentheses"),
            (quote!(version = 2, upgrade(v2 = f)), "`v2` is no version before 2"),
            (quote!(version = 2, upgrade(first = f)), "`first` is no version before 2"),
            (quote!(version = 3, upgrade(v1 = f, v1 = f)), "`v1` is no version before 3, or is given twice"),
            (quote!(version = 3, upgrade(v1 = f)), "nothing makes version 3 of version 2"),
            (quote!(version = 3, upgrade()), "nothing makes version 3 of version 2"),
        ] {
            let (_, _, messages) = read(tokens.clone());
            assert!(messages.len() == 1 && messages[0].starts_with(start), "{tokens}: {messages:?}");
        }
    }
}
