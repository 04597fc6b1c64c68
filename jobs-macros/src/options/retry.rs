//! `retry(…)`: how often, and after what times.

use std::{fmt, time::Duration};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Path;

use super::{
    duration,
    list::{Entries, Entry, Grammar, Value},
};
use crate::{
    diagnostic::{Errors, Problem, listed},
    types,
};

const GRAMMAR: Grammar = Grammar {
    owner: "retry",
    options: &[
        ("attempts", "attempts = 5"),
        ("fixed", "fixed = \"10s\""),
        ("linear", "linear = \"5s\""),
        ("exponential", "exponential = \"1s\""),
        ("factor", "factor = 2"),
        ("max", "max = \"1h\""),
        ("delays", "delays = [\"1s\", \"5s\"]"),
        ("by", "by = delay_before"),
        ("jitter", "jitter = 10"),
        ("when", "when = is_transient"),
        ("on_exceeded", "on_exceeded = \"delete\""),
    ],
    hints: &[],
};

const BACKOFFS: [&str; 5] = ["fixed", "linear", "exponential", "delays", "by"];
const DEFAULT_ATTEMPTS: u32 = 10;
const DEFAULT_FACTOR: u32 = 2;
const DEFAULT_MAX: Duration = Duration::from_secs(24 * 3600);

/// What `retry(…)` says, without contradictions.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Retry {
    pub(crate) attempts: u32,
    pub(crate) backoff: Backoff,
    /// `None` leaves the backoff's own.
    pub(crate) jitter: Option<u8>,
    /// Which errors are retried; all if there is none.
    pub(crate) when: Option<Function>,
    /// The variant of `OnExceeded`.
    pub(crate) on_exceeded: Option<&'static str>,
}

/// The time before each retry.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Backoff {
    Hangfire,
    Fixed(Duration),
    Linear(Duration),
    Exponential { base: Duration, factor: u32, max: Duration },
    Delays(Vec<Duration>),
    By(Function),
}

/// The path of a function.
#[derive(Clone)]
pub(crate) struct Function(pub(crate) Path);

impl Function {
    fn text(&self) -> String {
        types::text(&self.0)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

impl Retry {
    pub(crate) fn parse(entry: &Entry, errors: &Errors) -> Option<Self> {
        if let Value::Equals(tokens) = &entry.value {
            let problem = Problem::new("`retry` takes options in parentheses");
            let help = "write `retry(attempts = 5)` for five retries, `retry(attempts = 0)` for none";
            errors.at(tokens, problem.help(help));
            return None;
        }
        let entries = entry.entries(GRAMMAR, errors)?;
        let attempts = entries.get("attempts").map(|entry| entry.integer(0, u32::MAX, errors));
        if let Some(Some(attempts)) = &attempts
            && attempts.value == 0
        {
            report_useless(&entries, errors);
            let on_exceeded = on_exceeded(&entries, errors);
            return Some(Self { attempts: 0, backoff: Backoff::Hangfire, jitter: None, when: None, on_exceeded });
        }
        let jitter = entries.get("jitter").map(|entry| entry.integer(0_u8, 100, errors));
        let backoff = backoff(&entries, errors);
        if let (Some(Some(attempts)), Some(Backoff::Delays(delays))) = (&attempts, &backoff)
            && (attempts.value as usize) < delays.len()
        {
            errors.at(&attempts.literal, too_few(attempts.value, delays.len()));
        }
        let by_default = || match &backoff {
            Some(Backoff::Delays(delays)) => u32::try_from(delays.len()).unwrap_or(u32::MAX),
            _ => DEFAULT_ATTEMPTS,
        };
        Some(Self {
            attempts: attempts.map_or_else(|| Some(by_default()), |read| Some(read?.value))?,
            jitter: jitter.map_or(Some(None), |read| Some(Some(read?.value)))?,
            backoff: backoff?,
            when: entries.get("when").map_or(Some(None), |entry| Some(Some(Function(entry.path(errors)?))))?,
            on_exceeded: on_exceeded(&entries, errors),
        })
    }
}

/// With no retry, all that says how to retry contradicts.
fn report_useless(entries: &Entries, errors: &Errors) {
    for (key, _) in GRAMMAR.options.iter().filter(|(key, _)| !["attempts", "on_exceeded"].contains(key)) {
        if let Some(entry) = entries.get(key) {
            let problem = Problem::new(format!("`{key}` contradicts `attempts = 0`, which means no retry at all"));
            errors.at(&entry.key, problem.help(format!("remove `{key}`, or write a larger number of attempts")));
        }
    }
}

fn on_exceeded(entries: &Entries, errors: &Errors) -> Option<&'static str> {
    entries.get("on_exceeded")?.choice(&[("fail", "Fail"), ("delete", "Delete")], errors)
}

fn too_few(attempts: u32, delays: usize) -> Problem {
    Problem::new(format!("`attempts = {attempts}` contradicts the {delays} times in `delays`"))
        .help(format!("remove `attempts`, which is the number of `delays` by default, or write at least {delays}"))
        .note("with more attempts than delays the last delay holds for all further retries")
}

fn backoff(entries: &Entries, errors: &Errors) -> Option<Backoff> {
    let mut given = BACKOFFS.iter().filter_map(|key| entries.get(key));
    let first = given.next();
    for second in given.by_ref() {
        let first = first.map_or_else(String::new, |entry| entry.key.to_string());
        let problem = Problem::new(format!("`{}` contradicts `{first}`", second.key));
        errors.at(&second.key, problem.help(format!("keep one of {}", listed(BACKOFFS))));
    }
    if entries.get("exponential").is_none() {
        report_without_exponential(entries, errors);
    }
    let Some(first) = first else { return Some(Backoff::Hangfire) };
    match first.key.to_string().as_str() {
        "fixed" => Some(Backoff::Fixed(first.duration(errors)?.value)),
        "linear" => Some(Backoff::Linear(growing(first, errors)?)),
        "exponential" => exponential(first, entries, errors),
        "by" => Some(Backoff::By(Function(first.path(errors)?))),
        _ => Some(Backoff::Delays(first.durations(errors)?)),
    }
}

fn report_without_exponential(entries: &Entries, errors: &Errors) {
    for key in ["factor", "max"] {
        if let Some(entry) = entries.get(key) {
            let problem = Problem::new(format!("`{key}` needs `exponential`"));
            errors.at(&entry.key, problem.help(format!("add `exponential = \"1s\"`, or remove `{key}`")));
        }
    }
}

/// A duration that is multiplied, so must not be zero.
fn growing(entry: &Entry, errors: &Errors) -> Option<Duration> {
    let read = entry.duration(errors)?;
    if read.value.is_zero() {
        let problem = Problem::new(format!("`{}` starts from zero, and stays there", entry.key));
        errors.at(&read.literal, problem.help("write `fixed = \"0s\"` to retry at once, or a longer time"));
        return None;
    }
    Some(read.value)
}

fn exponential(entry: &Entry, entries: &Entries, errors: &Errors) -> Option<Backoff> {
    let base = growing(entry, errors);
    let factor = match entries.get("factor") {
        Some(entry) => entry.integer(2, u32::MAX, errors).map(|read| read.value),
        None => Some(DEFAULT_FACTOR),
    };
    let max = match entries.get("max") {
        Some(entry) => {
            let read = entry.duration(errors)?;
            if let Some(base) = base.filter(|base| read.value < *base) {
                let what = format!("`max` is shorter than the first delay, `{}`", duration::text(base));
                errors.at(&read.literal, Problem::new(what).help("write a longer `max`, or a shorter `exponential`"));
            }
            read.value
        }
        None => DEFAULT_MAX.max(base.unwrap_or_default()),
    };
    Some(Backoff::Exponential { base: base?, factor: factor?, max })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proc_macro2::TokenStream;
    use quote::quote;

    use super::{Backoff, Retry};
    use crate::{
        diagnostic::Errors,
        options::list::{Entries, Grammar},
    };

    fn parse(tokens: TokenStream) -> (Option<Retry>, Vec<String>) {
        let errors = Errors::new();
        let grammar = Grammar { owner: "#[job]", options: &[("retry", "retry(attempts = 5)")], hints: &[] };
        let entries = Entries::parse(quote!(retry(#tokens)), grammar, &errors);
        let retry = Retry::parse(entries.get("retry").expect("there"), &errors);
        (retry, errors.messages())
    }

    fn good(tokens: TokenStream) -> Retry {
        let (retry, messages) = parse(tokens);
        assert!(messages.is_empty(), "{messages:?}");
        retry.expect("no message, so a value")
    }

    fn plain(attempts: u32, backoff: Backoff) -> Retry {
        Retry { attempts, backoff, jitter: None, when: None, on_exceeded: None }
    }

    #[test]
    fn defaults_fill_what_is_not_said() {
        let second = Duration::from_secs(1);
        assert_eq!(good(quote!(attempts = 3)), plain(3, Backoff::Hangfire));
        assert_eq!(good(quote!(fixed = "1s")), plain(10, Backoff::Fixed(second)));
        let max = Duration::from_secs(24 * 3600);
        let backoff = Backoff::Exponential { base: second, factor: 2, max };
        assert_eq!(good(quote!(exponential = "1s", jitter = 0)), Retry { jitter: Some(0), ..plain(10, backoff) });
        let backoff = Backoff::Exponential { base: 2 * max, factor: 2, max: 2 * max };
        assert_eq!(good(quote!(exponential = "2d")).backoff, backoff);
    }

    #[test]
    fn the_number_of_delays_is_the_number_of_attempts() {
        let delays = || Backoff::Delays(vec![Duration::from_secs(1), Duration::from_secs(5)]);
        assert_eq!(good(quote!(delays = ["1s", "5s"])), plain(2, delays()));
        let by = good(quote!(by = times::before, when = is_transient, on_exceeded = "delete"));
        assert!(matches!(by.backoff, Backoff::By(_)) && by.when.is_some());
        assert_eq!((by.attempts, by.on_exceeded), (10, Some("Delete")));
        assert_eq!(good(quote!(delays = ["1s", "5s",], attempts = 4)).attempts, 4);
    }

    #[test]
    fn contradictions_are_reported_each() {
        for (tokens, starts) in [
            (quote!(fixed = "1s", linear = "1s"), vec!["`linear` contradicts `fixed`"]),
            (quote!(attempts = 0, fixed = "1s", jitter = 5), vec!["`fixed` contradicts", "`jitter` contradicts"]),
            (quote!(factor = 3, max = "1h"), vec!["`factor` needs", "`max` needs"]),
            (quote!(fixed = "1s", max = "1h"), vec!["`max` needs"]),
            (quote!(delays = []), vec!["`delays` is empty"]),
            (quote!(delays = ["1s", "5s"], attempts = 1), vec!["`attempts = 1` contradicts"]),
            (quote!(delays = ["1x", "5y"]), vec!["invalid duration", "invalid duration"]),
            (quote!(exponential = "1h", max = "1s"), vec!["`max` is shorter than the first delay, `1h`"]),
            (quote!(exponential = "1s", factor = 1), vec!["`1` is out of range for `factor`"]),
            (quote!(linear = "0s"), vec!["`linear` starts from zero"]),
            (quote!(jitter = 101), vec!["`101` is out of range for `jitter`"]),
            (quote!(jitter = 300), vec!["`300` is out of range for `jitter`"]),
            (quote!(attempts = -1), vec!["`-1` is out of range for `attempts`"]),
            (quote!(attempts = "3"), vec!["`attempts` takes a whole number"]),
            (quote!(), vec!["`retry()` says nothing"]),
        ] {
            let (_, messages) = parse(tokens.clone());
            assert_eq!(messages.len(), starts.len(), "{tokens}: {messages:#?}");
            for (message, start) in messages.iter().zip(starts) {
                assert!(message.starts_with(start), "{tokens}: {message}");
            }
        }
    }
}
