//! `cron = …`: the expression, checked.

use jobs_cron::{CronError, CronErrorKind, CronExpression};
use quote::ToTokens as _;
use syn::{Expr, ExprLit, ExprPath, Lit, LitStr, Token, punctuated::Punctuated};

use super::list::{Entry, Value};
use crate::{
    diagnostic::{Errors, Problem},
    job_fn::is_named,
};

/// What `Cron::never()` stands for.
const NEVER: &str = "0 0 31 2 *";

/// Help for who does not know the fields.
const EVERY_DAY: &str = "write `cron = \"0 9 * * *\"`, which is every day at 9:00";

/// The functions of `Cron`, each with the expression that it makes of its arguments.
const FUNCTIONS: [(&str, &str); 10] = [
    ("minutely", "* * * * *"),
    ("hourly", "{0} * * * *"),
    ("daily", "{1} {0} * * *"),
    ("weekly", "{2} {1} * * {0}"),
    ("monthly", "{2} {1} {0} * *"),
    ("yearly", "{3} {2} {1} {0} *"),
    ("minute_interval", "*/{0} * * * *"),
    ("hour_interval", "0 */{0} * * *"),
    ("day_interval", "0 0 */{0} * *"),
    ("month_interval", "0 0 1 */{0} *"),
];

/// An expression that fires, or one of which it is said that it never does.
pub(crate) struct Cron {
    pub(crate) text: String,
    /// The path of `Cron::never` as it is written, which only the compiler can resolve.
    pub(crate) never: Option<ExprPath>,
}

impl Cron {
    pub(crate) fn parse(entry: &Entry, errors: &Errors) -> Option<Self> {
        let tokens = match &entry.value {
            Value::Equals(tokens) if !tokens.is_empty() => tokens.clone(),
            Value::List(group) => group.to_token_stream(),
            Value::Equals(_) | Value::None => {
                let problem = Problem::new("`cron` needs a value");
                errors.at(&entry.key, problem.help(format!("write `{}`", entry.example)));
                return None;
            }
        };
        if let Ok(literal) = syn::parse2::<LitStr>(tokens.clone()) {
            return Some(Self { text: checked(&literal, errors)?, never: None });
        }
        let expression = syn::parse2::<Expr>(tokens.clone()).ok();
        let function = expression.as_ref().and_then(Function::of);
        match &function {
            Some(Function { path, arguments: Some(arguments) })
                if arguments.is_empty() && is_named(&path.path, "never") =>
            {
                Some(Self { text: NEVER.to_owned(), never: Some((*path).clone()) })
            }
            _ => {
                errors.at(tokens, computed(function.as_ref()));
                None
            }
        }
    }
}

/// The text of an expression that fires, or reports why it is none.
fn checked(literal: &LitStr, errors: &Errors) -> Option<String> {
    let text = literal.value();
    let error = match CronExpression::parse(&text).and_then(|expression| expression.must_fire()) {
        Ok(()) => return Some(text),
        Err(error) => error,
    };
    let mut problem = Problem::new(error.to_string());
    if !text.trim().is_empty() {
        problem = problem.caret(&text, error.range());
    }
    if let Some(help) = help(&text, &error) {
        problem = problem.help(help);
    }
    errors.at(literal, problem);
    None
}

/// What to write instead of a text that is no expression.
fn help(text: &str, error: &CronError) -> Option<String> {
    if let Some(meant) = error.suggestion() {
        return Some(format!("did you mean `cron = \"{meant}\"`?"));
    }
    match error.kind() {
        CronErrorKind::UnknownMacro if text.trim().eq_ignore_ascii_case("@reboot") => {
            Some("to run a job when the program starts, enqueue it there; a schedule has times only".to_owned())
        }
        CronErrorKind::Empty | CronErrorKind::FieldCount { .. } => Some(EVERY_DAY.to_owned()),
        CronErrorKind::NeverFires => {
            Some("write `cron = Cron::never()` for a schedule that is only triggered by hand".to_owned())
        }
        _ => None,
    }
}

/// What is said of anything but a text, with the expression that a call of `Cron` would make.
fn computed(function: Option<&Function<'_>>) -> Problem {
    let problem = Problem::new("`cron` takes a text in quotes, or `Cron::never()`");
    let problem = match function {
        Some(function) if is_named(&function.path.path, "never") => problem.help("write `cron = Cron::never()`"),
        Some(function) => match function.meaning() {
            Some(text) => problem.help(format!("write `cron = \"{text}\"`, which is the same")),
            None => problem.help(EVERY_DAY),
        },
        None => problem.help(EVERY_DAY),
    };
    problem.note("the expression is checked when the program is compiled, so it can't be computed")
}

/// A function `….Cron::function`, or a call of it.
struct Function<'a> {
    path: &'a ExprPath,
    arguments: Option<&'a Punctuated<Expr, Token![,]>>,
}

impl<'a> Function<'a> {
    fn of(expression: &'a Expr) -> Option<Self> {
        let (function, arguments) = match plain(expression) {
            Expr::Call(call) => (plain(&call.func), Some(&call.args)),
            function => (function, None),
        };
        let Expr::Path(path) = function else { return None };
        let type_name = path.path.segments.iter().rev().nth(1)?;
        (path.qself.is_none() && type_name.ident == "Cron").then_some(Self { path, arguments })
    }

    /// The expression that it makes of plain numbers and weekdays.
    fn meaning(&self) -> Option<String> {
        let (_, template) = FUNCTIONS.iter().find(|(name, _)| is_named(&self.path.path, name))?;
        let mut text = (*template).to_owned();
        for (index, argument) in self.arguments?.iter().enumerate() {
            let value = match plain(argument) {
                Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_digits().to_owned(),
                Expr::Path(weekday) => weekday.path.segments.last()?.ident.to_string().to_uppercase(),
                _ => return None,
            };
            text = text.replace(&format!("{{{index}}}"), &value);
        }
        // What has other arguments than the function takes is no expression either.
        CronExpression::parse(&text).is_ok().then_some(text)
    }
}

/// The expression itself, without parentheses and the invisible groups that `macro_rules!` makes.
fn plain(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => plain(&group.expr),
        Expr::Paren(paren) => plain(&paren.expr),
        _ => expression,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::{format_ident, quote};

    use super::{Cron, Entry, Value};
    use crate::diagnostic::Errors;

    fn parse(value: TokenStream) -> (Option<String>, Vec<String>) {
        let errors = Errors::new();
        let entry = Entry { key: format_ident!("cron"), value: Value::Equals(value), example: "" };
        (Cron::parse(&entry, &errors).map(|cron| cron.text), errors.messages())
    }

    #[test]
    fn expressions_and_never_are_taken() {
        for (value, text) in [
            (quote!("0 9 * * MON-FRI"), "0 9 * * MON-FRI"),
            (quote!("@daily"), "@daily"),
            (quote!(Cron::never()), "0 0 31 2 *"),
            (quote!((::jobs_runtime::schedule::Cron::never)()), "0 0 31 2 *"),
        ] {
            assert_eq!(parse(value), (Some(text.to_owned()), vec![]));
        }
    }

    #[test]
    fn a_call_is_refused_with_the_text_that_means_the_same() {
        for (value, text) in [
            (quote!(Cron::daily(9, 30)), "30 9 * * *"),
            (quote!(schedule::Cron::weekly(Weekday::Mon, 9, 0)), "0 9 * * MON"),
            (quote!(Cron::monthly(1, 2, 3)), "3 2 1 * *"),
            (quote!(Cron::yearly(12, 24, 18, 0)), "0 18 24 12 *"),
            (quote!(Cron::minute_interval(5)), "*/5 * * * *"),
        ] {
            let (none, messages) = parse(value);
            assert_eq!((none, messages.len()), (None, 1));
            assert!(messages[0].contains(&format!("write `cron = \"{text}\"`, which is the same")), "{}", messages[0]);
        }
    }

    #[test]
    fn what_cannot_be_translated_is_refused_with_an_example() {
        for value in [
            quote!(Cron::daily()),
            quote!(Cron::daily(hour, 0)),
            quote!(Cron::daily(25, 0)),
            quote!(never()),
            quote!(EVERY_DAY),
            quote!(5),
            quote!(concat!("0 9", "* * *")),
        ] {
            let (none, messages) = parse(value.clone());
            assert_eq!((none, messages.len()), (None, 1), "{value}");
            assert!(messages[0].contains("which is every day at 9:00"), "{}", messages[0]);
        }
    }

    #[test]
    fn never_is_a_call_without_arguments() {
        for value in [quote!(Cron::never), quote!(Cron::never(1))] {
            let (_, messages) = parse(value);
            assert!(messages[0].contains("= help: write `cron = Cron::never()`\n"), "{}", messages[0]);
        }
    }

    #[test]
    fn a_wrong_expression_is_underlined() {
        let (_, messages) = parse(quote!("0 25 * * *"));
        assert!(messages[0].contains("  | 0 25 * * *\n  |   ^^\n"), "{}", messages[0]);
        let (_, messages) = parse(quote!("0 0 31 2 *"));
        assert!(messages[0].contains("write `cron = Cron::never()`"), "{}", messages[0]);
    }
}
