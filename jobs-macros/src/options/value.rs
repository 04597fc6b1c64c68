//! Reading an option's value as what it should be.

use std::{fmt::Display, str::FromStr, time::Duration};

use proc_macro2::{Group, Ident, TokenStream};
use quote::ToTokens;
use syn::{
    Expr, LitInt, LitStr, Path, Token, bracketed,
    parse::{ParseStream, Parser as _},
    punctuated::Punctuated,
};

use super::{
    commas, duration,
    list::{Entries, Entry, Grammar, Value, nearest},
};
use crate::diagnostic::{Errors, Problem, listed};

/// A value with the literal it was read from.
pub(crate) struct Read<L, T> {
    pub(crate) literal: L,
    pub(crate) value: T,
}

impl Entry {
    /// `key = "text"`
    pub(crate) fn string(&self, errors: &Errors) -> Option<LitStr> {
        let tokens = self.equals("a text in quotes", errors)?;
        syn::parse2(tokens.clone()).map_err(|_| self.wrong(tokens, "a text in quotes", errors)).ok()
    }

    /// `key = "30s"`
    pub(crate) fn duration(&self, errors: &Errors) -> Option<Read<LitStr, Duration>> {
        let tokens = self.equals("a duration in quotes", errors)?;
        let literal: LitStr =
            syn::parse2(tokens.clone()).map_err(|_| self.wrong(tokens, "a duration in quotes", errors)).ok()?;
        let value = duration::read(&literal, errors)?;
        Some(Read { literal, value })
    }

    /// `key = 5`, in the range of `T` or a smaller one.
    pub(crate) fn integer<T>(&self, least: T, most: T, errors: &Errors) -> Option<Read<LitInt, T>>
    where
        T: FromStr<Err: Display> + Display + PartialOrd,
    {
        let tokens = self.equals("a whole number", errors)?;
        let literal: LitInt =
            syn::parse2(tokens.clone()).map_err(|_| self.wrong(tokens, "a whole number", errors)).ok()?;
        match literal.base10_parse::<T>() {
            Ok(value) if value >= least && value <= most => Some(Read { literal, value }),
            _ => {
                let what = format!("`{}` is out of range for `{}`", literal.base10_digits(), self.key);
                errors.at(&literal, Problem::new(what).help(format!("write a number from {least} to {most}")));
                None
            }
        }
    }

    /// `key = Name`
    pub(crate) fn identifier(&self, errors: &Errors) -> Option<Ident> {
        let tokens = self.equals("a name without quotes", errors)?;
        syn::parse2(tokens.clone()).map_err(|_| self.wrong(tokens, "a name without quotes", errors)).ok()
    }

    /// `key = path::to::function`
    pub(crate) fn path(&self, errors: &Errors) -> Option<Path> {
        let tokens = self.equals("the path of a function", errors)?;
        syn::parse2(tokens.clone()).map_err(|_| self.wrong(tokens, "the path of a function", errors)).ok()
    }

    /// `key = "one"`, which must be the first of one of the pairs; the result is the second.
    pub(crate) fn choice(&self, choices: &[(&'static str, &'static str)], errors: &Errors) -> Option<&'static str> {
        let tokens = self.equals("a text in quotes", errors)?;
        let Ok(literal) = syn::parse2::<LitStr>(tokens.clone()) else {
            self.unquoted(tokens, choices, errors);
            return None;
        };
        let wanted = literal.value();
        if let Some((_, meaning)) = choices.iter().find(|(name, _)| *name == wanted) {
            return Some(meaning);
        }
        let names = || choices.iter().map(|(name, _)| *name);
        let mut problem = Problem::new(format!("unknown value `{}` of `{}`", wanted.escape_debug(), self.key));
        if let Some(near) = nearest(&wanted, names()) {
            problem = problem.help(format!("did you mean `{} = \"{near}\"`?", self.key));
        }
        errors.at(literal, problem.note(format!("the values are {}", listed(names()))));
        None
    }

    /// `key("a", "b")`, with at least one text.
    pub(crate) fn strings(&self, errors: &Errors) -> Option<Vec<LitStr>> {
        let group = self.parenthesized("texts in parentheses", errors)?;
        let texts = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(group.stream());
        match texts {
            Ok(texts) if !texts.is_empty() => Some(texts.into_iter().collect()),
            _ => {
                if !commas::report_missing_between_texts(group.stream(), errors) {
                    self.wrong(group, "texts in quotes", errors);
                }
                None
            }
        }
    }

    /// `key(One, two())`, with at least one expression.
    pub(crate) fn expressions(&self, errors: &Errors) -> Option<Vec<Expr>> {
        let group = self.parenthesized("expressions in parentheses", errors)?;
        match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(group.stream()) {
            Ok(expressions) if !expressions.is_empty() => Some(expressions.into_iter().collect()),
            _ => {
                self.wrong(group, "expressions with commas between them", errors);
                None
            }
        }
    }

    /// `key(…)`
    fn parenthesized(&self, expected: &str, errors: &Errors) -> Option<&Group> {
        match &self.value {
            Value::List(group) => Some(group),
            Value::None => self.missing(errors),
            Value::Equals(tokens) => {
                self.wrong(tokens, expected, errors);
                None
            }
        }
    }

    /// `key = ["1s", "5s"]`, with at least one duration.
    pub(crate) fn durations(&self, errors: &Errors) -> Option<Vec<Duration>> {
        let tokens = self.equals("durations in brackets", errors)?;
        let content = |input: ParseStream<'_>| {
            let content;
            bracketed!(content in input);
            content.parse::<TokenStream>()
        };
        let content = content.parse2(tokens.clone());
        let content = content.map_err(|_| self.wrong(&tokens, "durations in brackets", errors)).ok()?;
        let Ok(literals) = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(content.clone()) else {
            if !commas::report_missing_between_texts(content, errors) {
                self.wrong(&tokens, "durations in brackets", errors);
            }
            return None;
        };
        if literals.is_empty() {
            let problem = Problem::new(format!("`{}` is empty", self.key)).help(format!("write `{}`", self.example));
            errors.at(tokens, problem.note("each duration is the time before one retry"));
            return None;
        }
        let read: Vec<_> = literals.iter().map(|literal| duration::read(literal, errors)).collect();
        read.into_iter().collect()
    }

    /// `key(…)` with options of its own.
    pub(crate) fn entries(&self, grammar: Grammar, errors: &Errors) -> Option<Entries> {
        match &self.value {
            Value::List(group) if group.stream().is_empty() => {
                let problem = Problem::new(format!("`{}()` says nothing", self.key));
                errors.at(group, problem.help(format!("write `{}`, or remove it", self.example)));
                None
            }
            Value::List(group) => Some(Entries::parse(group.stream(), grammar, errors)),
            Value::None => self.missing(errors),
            Value::Equals(tokens) => {
                self.wrong(tokens, "options in parentheses", errors);
                None
            }
        }
    }

    fn equals(&self, expected: &str, errors: &Errors) -> Option<TokenStream> {
        match &self.value {
            Value::Equals(tokens) if !tokens.is_empty() => Some(tokens.clone()),
            Value::Equals(_) | Value::None => self.missing(errors),
            Value::List(group) => {
                self.wrong(group, expected, errors);
                None
            }
        }
    }

    /// Reports a value that is not a text, of which only its last word may tell what it was meant to be.
    fn unquoted(&self, tokens: TokenStream, choices: &[(&str, &str)], errors: &Errors) {
        let last = tokens.clone().into_iter().last().map_or_else(String::new, |token| token.to_string().to_lowercase());
        let write = |name: &str| format!("`{} = \"{name}\"`", self.key);
        let meant = choices.iter().find(|(name, _)| *name == last);
        let texts: Vec<String> =
            meant.map_or(choices, std::slice::from_ref).iter().map(|(name, _)| write(name)).collect();
        let problem = Problem::new(format!("`{}` takes a text in quotes", self.key));
        errors.at(tokens, problem.help(format!("write {}", texts.join(" or "))));
    }

    fn missing<T>(&self, errors: &Errors) -> Option<T> {
        let problem = Problem::new(format!("`{}` needs a value", self.key));
        errors.at(&self.key, problem.help(format!("write `{}`", self.example)));
        None
    }

    fn wrong(&self, tokens: impl ToTokens, expected: &str, errors: &Errors) {
        let problem = Problem::new(format!("`{}` takes {expected}", self.key));
        errors.at(tokens, problem.help(format!("write `{}`", self.example)));
    }
}
