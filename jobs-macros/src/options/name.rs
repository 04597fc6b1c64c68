//! Stored names: a type and a method.

use std::env;

use syn::LitStr;

use crate::diagnostic::{Errors, Problem};

/// The longest type or method, in bytes; the same as `JobName::MAX_LEN`.
const MAX_LEN: usize = 200;

/// The name under which a job is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Name {
    pub(crate) type_name: String,
    pub(crate) method: String,
}

impl Name {
    /// The name as it is written: `mail.send` in full, or `send` for a method of the type `type_name`.
    pub(crate) fn parse(literal: &LitStr, type_name: &str, errors: &Errors) -> Option<Self> {
        let text = literal.value();
        let (given_type, method) = match text.rsplit_once('.') {
            Some((given_type, method)) => (given_type, method),
            None => (type_name, text.as_str()),
        };
        let problem = if given_type.is_empty() || method.is_empty() {
            Problem::new(format!("`{}` is not a job's name", text.escape_debug()))
        } else if given_type.len() > MAX_LEN || method.len() > MAX_LEN {
            Problem::new(format!("a job's type and method have at most {MAX_LEN} bytes each"))
        } else {
            return Some(Self { type_name: given_type.to_owned(), method: method.to_owned() });
        };
        errors.at(literal, problem.help("write `\"type.method\"`, or `\"method\"` to keep the type"));
        None
    }
}

/// The type of a function's job: the package that is compiled, in the form of an identifier.
pub(crate) fn package() -> String {
    // Only a compiler that was not started by cargo sets neither.
    let name = env::var("CARGO_PKG_NAME").or_else(|_| env::var("CARGO_CRATE_NAME"));
    name.unwrap_or_else(|_| "main".to_owned()).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::Name;
    use crate::diagnostic::Errors;

    fn parse(text: &str) -> Result<(String, String), Vec<String>> {
        let errors = Errors::new();
        let literal = syn::parse2(quote!(#text)).expect("a text");
        let name = Name::parse(&literal, "my_app", &errors);
        let messages = errors.messages();
        if messages.is_empty() {
            Ok(name.map(|name| (name.type_name, name.method)).expect("a name"))
        } else {
            Err(messages)
        }
    }

    #[test]
    fn a_name_is_split_at_its_last_dot() {
        assert_eq!(parse("mail.v2.send"), Ok(("mail.v2".to_owned(), "send".to_owned())));
        assert_eq!(parse("send"), Ok(("my_app".to_owned(), "send".to_owned())));
    }

    #[test]
    fn names_without_two_parts_are_refused() {
        for text in ["", ".send", "mail.", ".", &"x".repeat(201)] {
            assert_eq!(parse(text).expect_err(text).len(), 1, "{text}");
        }
    }
}
