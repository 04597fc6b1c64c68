//! Lists of options as attributes have them: `queue = "mail", retry(attempts = 3)`.
//!
//! A list is split at its commas before anything in it is read, so that a mistake in one option hides none in
//! the next.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{
    Result,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
};

use super::commas;
use crate::diagnostic::{Errors, Problem, listed};

/// The options that one attribute, or one option with parentheses, can have.
#[derive(Clone, Copy)]
pub(crate) struct Grammar {
    /// What has the options, such as `#[job]`.
    pub(crate) owner: &'static str,
    /// Every option, with an example of it in full.
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// What people write who mean another option.
    pub(crate) hints: &'static [(&'static str, Hint)],
}

/// What may have been meant by a name that is no option.
#[derive(Clone, Copy)]
pub(crate) enum Hint {
    /// This option.
    Option(&'static str),
    /// An option of another attribute; the help says of which.
    Elsewhere(&'static str),
}

impl Grammar {
    fn example(&self, key: &str) -> Option<&'static str> {
        self.options.iter().find(|(name, _)| *name == key).map(|(_, example)| *example)
    }

    /// A note that names all options.
    fn names(&self) -> String {
        let names = listed(self.options.iter().map(|(name, _)| *name));
        if self.options.len() == 1 { format!("the only option is {names}") } else { format!("the options are {names}") }
    }

    pub(super) fn first_example(&self) -> &'static str {
        self.options.first().map_or("", |(_, example)| *example)
    }

    pub(super) fn knows(&self, key: &str) -> bool {
        self.example(key).is_some()
    }

    /// What to write instead of an unknown option.
    fn help(&self, unknown: &str) -> Option<String> {
        let meant = match self.hints.iter().find(|(name, _)| *name == unknown) {
            Some((_, Hint::Elsewhere(help))) => return Some((*help).to_owned()),
            Some((_, Hint::Option(option))) => option,
            None => nearest(unknown, self.options.iter().map(|(name, _)| *name))?,
        };
        Some(format!("did you mean `{}`?", self.example(meant)?))
    }
}

/// The one of `names` that may have been meant by `wanted`.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.trim().to_lowercase();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&wanted, name);
    names
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.55)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// One option as it is written.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Value,
    /// How the option is written right.
    pub(crate) example: &'static str,
}

/// What follows an option's name.
#[derive(Clone)]
pub(crate) enum Value {
    /// Nothing.
    None,
    /// `= …`
    Equals(TokenStream),
    /// `(…)`
    List(Group),
}

/// The options of one list: each known, none twice.
pub(crate) struct Entries {
    list: Vec<Entry>,
    /// Whether nothing was left out because it could not be read or is unknown.
    pub(crate) is_whole: bool,
}

impl Entries {
    /// Splits `tokens`, and reports what can't be an option, is unknown, or is there twice.
    pub(crate) fn parse(tokens: TokenStream, grammar: Grammar, errors: &Errors) -> Self {
        let mut entries = Self { list: Vec::new(), is_whole: true };
        for part in commas::split(tokens, grammar, errors) {
            let Some(entry) = parse_entry(part, grammar, errors) else {
                entries.is_whole = false;
                continue;
            };
            if entries.list.iter().any(|earlier| earlier.key == entry.key) {
                let problem = Problem::new(format!("`{}` is given twice", entry.key));
                errors.at(&entry.key, problem.help("remove one of the two"));
            } else {
                entries.list.push(entry);
            }
        }
        entries
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.list.iter().find(|entry| entry.key == key)
    }
}

fn parse_entry(part: TokenStream, grammar: Grammar, errors: &Errors) -> Option<Entry> {
    let Ok((key, rest)) = split_key.parse2(part.clone()) else {
        let problem = Problem::new(format!("expected an option of `{}`", grammar.owner));
        let problem = problem.help(format!("write an option by its name, such as `{}`", grammar.first_example()));
        errors.at(part, problem.note(grammar.names()));
        return None;
    };
    let Some(example) = grammar.example(&key.to_string()) else {
        let mut problem = Problem::new(format!("unknown option `{key}` of `{}`", grammar.owner));
        if let Some(help) = grammar.help(&key.to_string()) {
            problem = problem.help(help);
        }
        errors.at(&key, problem.note(grammar.names()));
        return None;
    };
    let Some(value) = parse_value(rest.clone()) else {
        let problem = Problem::new(format!("can't read what follows `{key}`"));
        errors.at(rest, problem.help(format!("write `{example}`")));
        return None;
    };
    Some(Entry { key, value, example })
}

fn split_key(input: ParseStream<'_>) -> Result<(Ident, TokenStream)> {
    Ok((input.call(Ident::parse_any)?, input.parse()?))
}

fn parse_value(rest: TokenStream) -> Option<Value> {
    let mut tokens = rest.into_iter();
    match tokens.next() {
        None => Some(Value::None),
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => Some(Value::Equals(tokens.collect())),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis && tokens.next().is_none() => {
            Some(Value::List(group))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::{Entries, Grammar, Hint, Value};
    use crate::diagnostic::Errors;

    const GRAMMAR: Grammar = Grammar {
        owner: "#[test]",
        options: &[("queue", "queue = \"mail\""), ("as", "as = Name"), ("retry", "retry(attempts = 3)")],
        hints: &[("topic", Hint::Option("queue")), ("cron", Hint::Elsewhere("write `#[other(cron)]`"))],
    };

    #[test]
    fn a_list_is_split_into_its_options() {
        let errors = Errors::new();
        let entries = Entries::parse(quote!(queue = "a,b", as = X, retry(a, b),), GRAMMAR, &errors);
        assert!(matches!(entries.get("queue").expect("there").value, Value::Equals(_)));
        assert!(matches!(entries.get("as").expect("there").value, Value::Equals(_)));
        assert!(matches!(entries.get("retry").expect("there").value, Value::List(_)));
        assert!(errors.messages().is_empty());
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let errors = Errors::new();
        let list = quote!(, queu = 1, "mail", queue, queue = 2, retry[3], zebra);
        assert!(!Entries::parse(list, GRAMMAR, &errors).is_whole);
        let starts = ["a comma without", "unknown option `queu`", "expected an option", "`queue` is given twice"];
        let starts = starts.into_iter().chain(["can't read what follows `retry`", "unknown option `zebra`"]);
        let messages = errors.messages();
        assert_eq!(messages.len(), 6, "{messages:#?}");
        for (message, start) in messages.iter().zip(starts) {
            assert!(message.starts_with(start), "{message}");
        }
        assert!(messages[1].contains("did you mean `queue = \"mail\"`?"), "{}", messages[1]);
        assert!(!messages[5].contains("did you mean"), "{}", messages[5]);
    }

    #[test]
    fn what_is_called_otherwise_is_known() {
        let errors = Errors::new();
        Entries::parse(quote!(topic = 1, cron = 1), GRAMMAR, &errors);
        let messages = errors.messages();
        assert!(messages[0].contains("= help: did you mean `queue = \"mail\"`?\n"), "{}", messages[0]);
        assert!(messages[1].contains("= help: write `#[other(cron)]`\n"), "{}", messages[1]);
    }
}
