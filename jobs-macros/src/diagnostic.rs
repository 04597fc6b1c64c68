//! Compile errors: their shape, and a collector that can't be forgotten.

use std::{cell::RefCell, fmt::Write as _, ops::Range, thread};

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// One compile error: a line for what is wrong, then remarks that say what to write and why.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Problem(String);

impl Problem {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// What to write instead.
    pub(crate) fn help(self, text: impl AsRef<str>) -> Self {
        self.remark("help", text.as_ref())
    }

    /// Why it is so.
    pub(crate) fn note(self, text: impl AsRef<str>) -> Self {
        self.remark("note", text.as_ref())
    }

    /// Shows `text` with its bytes `range` underlined, because stable Rust can't point into a string literal.
    pub(crate) fn caret(mut self, text: &str, range: Range<usize>) -> Self {
        let shown = |part: &str| part.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
        let before = shown(text.get(..range.start).unwrap_or_default()).chars().count();
        let marked = shown(text.get(range).unwrap_or_default()).chars().count().max(1);
        write!(self.0, "\n  |\n  | {}\n  | {}{}", shown(text), " ".repeat(before), "^".repeat(marked)).ok();
        self.0.push_str("\n  |");
        self
    }

    fn remark(mut self, kind: &str, text: &str) -> Self {
        write!(self.0, "\n= {kind}: {text}").ok();
        self
    }
}

/// All errors found in one item, so that one compile shows all of them.
///
/// Dropping it without [`finish`](Self::finish) panics: an error that was found can't get lost.
#[derive(Debug)]
#[must_use]
pub(crate) struct Errors(RefCell<Option<Vec<syn::Error>>>);

impl Errors {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(Some(Vec::new())))
    }

    /// Reports `problem` at `tokens`.
    pub(crate) fn at(&self, tokens: impl ToTokens, problem: Problem) {
        self.add(syn::Error::new_spanned(tokens, problem.0));
    }

    /// Reports `problem` at `span`.
    pub(crate) fn at_span(&self, span: Span, problem: Problem) {
        self.add(syn::Error::new(span, problem.0));
    }

    fn add(&self, error: syn::Error) {
        if let Some(list) = &mut *self.0.borrow_mut() {
            list.push(error);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// The errors as `compile_error!`s, each at its own tokens; nothing if there are none.
    pub(crate) fn finish(self) -> TokenStream {
        self.take().iter().map(syn::Error::to_compile_error).collect()
    }

    fn take(&self) -> Vec<syn::Error> {
        self.0.borrow_mut().take().unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.take().into_iter().flatten().map(|error| error.to_string()).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.0.borrow().is_none() || thread::panicking(), "compile errors were collected, but not reported");
    }
}

/// `` `a`, `b` and `c` ``
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Errors, Problem, listed};

    #[test]
    fn a_caret_stands_below_its_text() {
        let errors = Errors::new();
        let problem = Problem::new("`ü 3\"x` is wrong").caret("ü 3\"x", 5..6).help("write it right");
        errors.at(proc_macro2::TokenStream::new(), problem);
        let expected = "`ü 3\"x` is wrong\n  |\n  | ü 3\"x\n  |     ^\n  |\n= help: write it right";
        assert_eq!(errors.messages(), [expected]);
    }

    #[test]
    #[should_panic(expected = "not reported")]
    fn forgotten_errors_panic() {
        drop(Errors::new());
    }

    #[test]
    fn words_are_listed_with_and() {
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
