//! `args(name = value, …)`: the arguments of a schedule's jobs.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, TokenStreamExt as _, quote};
use syn::{
    Expr, ExprAsync, ExprAwait, ExprClosure, ExprTry, Item, Macro, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
    punctuated::Punctuated,
    visit::{self, Visit},
};

use crate::{
    diagnostic::{Errors, Problem},
    types,
};

/// One argument with its value.
pub(crate) struct Assignment {
    pub(crate) name: Ident,
    pub(crate) value: TokenStream,
}

/// Reads what stands in the parentheses; `None` if it can't be read to its end, which was reported with `example`.
pub(crate) fn parse(tokens: TokenStream, example: &str, errors: &Errors) -> Option<Vec<Assignment>> {
    let list = |input: ParseStream<'_>| {
        let mut list = Vec::new();
        while !input.is_empty() {
            let Some(assignment) = assignment(input, example, errors) else {
                input.parse::<TokenStream>()?;
                return Ok(None);
            };
            list.push(assignment);
        }
        Ok(Some(list))
    };
    list.parse2(tokens).ok().flatten()
}

/// One assignment, and the comma after it.
fn assignment(input: ParseStream<'_>, example: &str, errors: &Errors) -> Option<Assignment> {
    let write = |what: String| Problem::new(what).help(format!("write `{example}`"));
    let Ok(name) = input.call(Ident::parse_any) else {
        report_next(input, write("expected the name of an argument".to_owned()), errors);
        return None;
    };
    if !input.is_empty() && !input.peek(Token![,]) && input.parse::<Token![=]>().is_err() {
        report_next(input, write(format!("expected `=` after `{name}`")), errors);
        return None;
    }
    if input.is_empty() || input.peek(Token![,]) {
        errors.at(&name, write(format!("`{name}` needs a value")));
        return None;
    }
    let written = until_comma(&input.fork());
    let Ok(value) = input.parse::<Expr>() else {
        errors.at(written, write(format!("can't read the value of `{name}`")));
        return None;
    };
    if !input.is_empty() && input.parse::<Token![,]>().is_err() {
        report_next(input, write(format!("expected a comma after the value of `{name}`")), errors);
        return None;
    }
    if let Some(effect) = Effect::find(&value) {
        errors.at(&effect, cannot_happen(&name, &effect));
    }
    Some(Assignment { name, value: value.into_token_stream() })
}

fn cannot_happen(name: &Ident, effect: &TokenStream) -> Problem {
    Problem::new(format!("`{}` can't be used in the value of `{name}`", types::text(effect)))
        .help("write a constant expression, or add the schedule at run time: `client.recurring().add_or_update(…)`")
        .note("values are evaluated when a server starts, and can't await or fail")
}

/// The first `.await` or `?` that belongs to a value itself, and not to a closure or an `async` block in it.
#[derive(Default)]
struct Effect(Option<TokenStream>);

impl Effect {
    fn find(value: &Expr) -> Option<TokenStream> {
        let mut effect = Self::default();
        effect.visit_expr(value);
        effect.0
    }
}

impl Visit<'_> for Effect {
    fn visit_expr_await(&mut self, expression: &ExprAwait) {
        visit::visit_expr_await(self, expression);
        let (dot, keyword) = (expression.dot_token, expression.await_token);
        self.0.get_or_insert_with(|| quote!(#dot #keyword));
    }

    fn visit_expr_try(&mut self, expression: &ExprTry) {
        visit::visit_expr_try(self, expression);
        self.0.get_or_insert_with(|| expression.question_token.to_token_stream());
    }

    fn visit_expr_async(&mut self, _: &ExprAsync) {}

    fn visit_expr_closure(&mut self, _: &ExprClosure) {}

    fn visit_item(&mut self, _: &Item) {}

    // What `vec!` and `format!` take; of other macros nothing is known.
    fn visit_macro(&mut self, called: &Macro) {
        let list = called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).unwrap_or_default();
        list.iter().for_each(|expression| self.visit_expr(expression));
    }
}

/// The tokens of a value that is no expression.
fn until_comma(input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => tokens.append(token),
            Err(_) => break,
        }
    }
    tokens
}

/// Reports `problem` at the next token.
fn report_next(input: ParseStream<'_>, problem: Problem, errors: &Errors) {
    match input.fork().parse::<TokenTree>() {
        Ok(token) => errors.at(token, problem),
        Err(_) => errors.at_span(input.span(), problem),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::parse;
    use crate::diagnostic::Errors;

    fn read(tokens: TokenStream) -> (Option<Vec<String>>, Vec<String>) {
        let errors = Errors::new();
        let list = parse(tokens, "args(a = …)", &errors);
        (list.map(|list| list.iter().map(|each| format!("{}: {}", each.name, each.value)).collect()), errors.messages())
    }

    #[test]
    fn values_are_any_expressions() {
        let (list, messages) =
            read(quote!(a = HashMap::<u8, u8>::new(), r#type = |x, y| x + y, b = if c { 1 } else { 2 },));
        assert_eq!(messages, [""; 0]);
        let list = list.expect("all is right");
        assert_eq!(list[0], "a: HashMap :: < u8 , u8 > :: new ()");
        assert_eq!(list[1], "r#type: | x , y | x + y");
        assert_eq!(list.len(), 3);
        assert_eq!(read(quote!()).0, Some(vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_reported_once() {
        for (tokens, start) in [
            (quote!("eu", 7), "expected the name of an argument"),
            (quote!(a), "`a` needs a value"),
            (quote!(a, b), "`a` needs a value"),
            (quote!(a: 1, b: 2), "expected `=` after `a`"),
            (quote!(a = , b = 2), "`a` needs a value"),
            (quote!(a = ), "`a` needs a value"),
            (quote!(a = 1 +, b = 2), "can't read the value of `a`"),
            (quote!(a = 1 b = 2), "expected a comma after the value of `a`"),
        ] {
            let (list, messages) = read(tokens.clone());
            assert!(list.is_none(), "{tokens}");
            assert!(messages.len() == 1 && messages[0].starts_with(start), "{tokens}: {messages:?}");
        }
    }

    #[test]
    fn a_value_can_neither_await_nor_fail() {
        for (tokens, effect) in [
            (quote!(a = load().await), "`.await`"),
            (quote!(a = load()?), "`?`"),
            (quote!(a = load().await?), "`.await`"),
            (quote!(a = sum(1, load()?)), "`?`"),
            (quote!(a = vec![load().await]), "`.await`"),
        ] {
            let (list, messages) = read(tokens.clone());
            assert_eq!(list.map(|list| list.len()), Some(1), "the rest can be checked");
            let start = format!("{effect} can't be used in the value of `a`");
            assert!(messages.len() == 1 && messages[0].starts_with(&start), "{tokens}: {messages:?}");
        }
        for tokens in [
            quote!(a = || load()?),
            quote!(a = async { load().await }),
            quote!(a = other!(x.await ; ?)),
            quote!(
                a = {
                    fn load() -> Option<u8> {
                        Some(one()?)
                    }
                    load()
                }
            ),
        ] {
            assert_eq!(read(tokens.clone()).1, [""; 0], "{tokens}");
        }
    }
}
