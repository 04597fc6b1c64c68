//! Splitting a list at its commas, and where one is missing.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::list::Grammar;
use crate::diagnostic::{Errors, Problem};

/// The parts of a list. An empty one is reported, except after the last comma; so is a comma that is missing.
pub(super) fn split(tokens: TokenStream, grammar: Grammar, errors: &Errors) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_comma = is_punct(&token, ',');
        if is_comma && part.is_empty() {
            let help = format!("remove it, or write an option such as `{}` before it", grammar.first_example());
            errors.at(&token, Problem::new("a comma without an option before it").help(help));
            continue;
        }
        let is_semicolon = is_punct(&token, ';') && !part.is_empty();
        let lacks_comma = is_semicolon || begins_option(&part, &token, tokens.peek(), grammar);
        if lacks_comma {
            report_missing(&before(&part), &token, errors);
        }
        if is_comma || lacks_comma {
            parts.push(std::mem::take(&mut part));
        }
        if !is_comma && !is_semicolon {
            part.push(token);
        }
    }
    parts.push(part);
    parts.into_iter().filter(|part| !part.is_empty()).map(TokenStream::from_iter).collect()
}

/// Reports a comma that is missing between the texts of a list, if one is.
pub(super) fn report_missing_between_texts(tokens: TokenStream, errors: &Errors) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for pair in tokens.windows(2) {
        if let [TokenTree::Literal(before), next] = pair
            && (matches!(next, TokenTree::Literal(_)) || is_punct(next, ';'))
        {
            report_missing(&format!("`{before}`"), next, errors);
            return true;
        }
    }
    false
}

fn report_missing(before: &str, found: &TokenTree, errors: &Errors) {
    let problem = Problem::new(format!("expected a comma after {before}"));
    let help = match found {
        TokenTree::Punct(punct) => format!("write a comma instead of `{punct}`"),
        _ => format!("write a comma before `{found}`"),
    };
    errors.at(found, problem.help(help));
}

/// Whether `token` can't belong to the option that stands in `part`, because that has its whole value.
fn begins_option(part: &[TokenTree], token: &TokenTree, next: Option<&TokenTree>, grammar: Grammar) -> bool {
    let (true, Some(last)) = (has_value(part), part.last()) else { return false };
    match (last, token) {
        (TokenTree::Punct(_), _) => false,
        (TokenTree::Literal(_), TokenTree::Ident(_) | TokenTree::Literal(_)) => true,
        (_, TokenTree::Ident(name)) => grammar.knows(&name.to_string()) || next.is_some_and(is_value_of_option),
        _ => false,
    }
}

/// Whether it is `name = …` or `name(…)`.
fn has_value(part: &[TokenTree]) -> bool {
    match part {
        [TokenTree::Ident(_), TokenTree::Punct(equals), _, ..] => equals.as_char() == '=',
        [TokenTree::Ident(_), TokenTree::Group(group), ..] => group.delimiter() == Delimiter::Parenthesis,
        _ => false,
    }
}

/// Whether it can follow the name of an option.
fn is_value_of_option(token: &TokenTree) -> bool {
    is_punct(token, '=') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

/// What a message calls the tokens before a missing comma.
fn before(part: &[TokenTree]) -> String {
    match part.first() {
        Some(TokenTree::Ident(name)) if has_value(part) => format!("the value of `{name}`"),
        Some(TokenTree::Ident(name)) => format!("`{name}`"),
        _ => "an option".to_owned(),
    }
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::{Errors, Grammar, split};

    const GRAMMAR: Grammar = Grammar {
        owner: "#[test]",
        options: &[("queue", "queue = \"mail\""), ("as", "as = Name"), ("retry", "retry(attempts = 3)")],
        hints: &[],
    };

    fn read(tokens: TokenStream) -> (Vec<String>, Vec<String>) {
        let errors = Errors::new();
        let parts = split(tokens, GRAMMAR, &errors).iter().map(ToString::to_string).collect();
        (parts, errors.messages())
    }

    #[test]
    fn a_missing_comma_is_reported_once_and_the_list_is_split_there() {
        for (tokens, first) in [
            (quote!(queue = "a" as = X), "queue = \"a\""),
            (quote!(queue = "a"; as = X,), "queue = \"a\""),
            (quote!(queue = a::b(1) as = X), "queue = a :: b (1)"),
            (quote!(queue = a as = X), "queue = a"),
            (quote!(retry(attempts = 1) as = X), "retry (attempts = 1)"),
        ] {
            let (parts, messages) = read(tokens);
            assert_eq!(parts, [first, "as = X"]);
            assert!(messages.len() == 1 && messages[0].starts_with("expected a comma after the value"), "{messages:?}");
        }
        let (parts, messages) = read(quote!(queue = -5 colour = "red" retry(1)));
        assert_eq!((parts.len(), messages.len()), (3, 2));
        assert!(messages[1].starts_with("expected a comma after the value of `colour`"), "{messages:?}");
    }

    #[test]
    fn a_value_of_many_tokens_is_one() {
        for tokens in [
            quote!(queue = a::never()),
            quote!(queue = if x { 1 } else { 2 }),
            quote!(
                queue = match (x) {
                    _ => 1,
                }
            ),
            quote!(queue = -1),
            quote!(queue "mail"),
            quote!(queue as = X),
        ] {
            assert_eq!(read(tokens.clone()), (vec![tokens.to_string()], vec![]));
        }
    }

    #[test]
    fn nothing_before_a_comma_is_reported() {
        let (parts, messages) = read(quote!(, queue,, as,));
        assert_eq!(parts, ["queue", "as"]);
        assert!(messages.iter().all(|message| message.starts_with("a comma without an option")), "{messages:?}");
        assert_eq!(messages.len(), 2);
    }
}
