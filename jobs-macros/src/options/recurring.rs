//! What `#[recurring(…)]` says.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaNameValue};

use super::{
    cron::Cron,
    list::{Entries, Entry, Grammar, Hint},
    queue,
    schedule_id::Id,
    zone,
};
use crate::diagnostic::{Errors, Problem};

const RECURRING: Grammar = Grammar {
    owner: "#[recurring]",
    options: &[
        ("cron", "cron = \"0 9 * * *\""),
        ("tz", "tz = \"Europe/Berlin\""),
        ("id", "id = \"digest\""),
        ("queue", "queue = \"reports\""),
        ("misfire", "misfire = \"strict\""),
        ("max_missed", "max_missed = 100"),
        ("overlap", "overlap = \"skip\""),
        ("args", "args(days = 7)"),
    ],
    hints: &[
        ("timezone", Hint::Option("tz")),
        ("time_zone", Hint::Option("tz")),
        ("zone", Hint::Option("tz")),
        ("every", Hint::Option("cron")),
        ("schedule", Hint::Option("cron")),
        ("expression", Hint::Option("cron")),
        (
            "name",
            Hint::Elsewhere(
                "write `id = \"digest\"` to name the schedule; `name` is an option of `#[job]`, and names the job",
            ),
        ),
        ("priority", Hint::Elsewhere("`priority` is an option of `#[job]`: write `#[job(priority = 5)]`")),
        ("retry", Hint::Elsewhere("`retry` is an option of `#[job]`: write `#[job(retry(attempts = 5))]`")),
        ("timeout", Hint::Elsewhere("`timeout` is an option of `#[job]`: write `#[job(timeout = \"30s\")]`")),
    ],
};

/// The values of `misfire`, with the variants of `Misfire`.
const MISFIRE: [(&str, &str); 3] = [("relaxed", "Relaxed"), ("strict", "Strict"), ("ignorable", "Ignorable")];

/// The values of `overlap`, with the variants of `Overlap`.
const OVERLAP: [(&str, &str); 2] = [("allow", "Allow"), ("skip", "Skip")];

/// The most that `max_missed` can be; the same as `ScheduleOptions::LARGEST_MAX_MISSED`.
const LARGEST_MAX_MISSED: u32 = 10_000;

/// The options of one schedule; one that has an error counts as not said.
pub(crate) struct RecurringOptions {
    pub(crate) cron: Option<Cron>,
    pub(crate) tz: Option<String>,
    pub(crate) id: Id,
    pub(crate) queue: Option<String>,
    /// The variant of `Misfire`.
    pub(crate) misfire: Option<&'static str>,
    pub(crate) max_missed: Option<u32>,
    /// The variant of `Overlap`.
    pub(crate) overlap: Option<&'static str>,
    /// What only who knows the function's parameters can read.
    pub(crate) args: Option<Entry>,
}

impl RecurringOptions {
    pub(crate) fn parse(attribute: &Attribute, errors: &Errors) -> Self {
        let (tokens, is_list) = match &attribute.meta {
            Meta::Path(_) => (TokenStream::new(), true),
            Meta::List(list) => (list.tokens.clone(), true),
            Meta::NameValue(meta) => {
                errors.at(meta, only_a_value(meta));
                (TokenStream::new(), false)
            }
        };
        let has_options = !tokens.is_empty();
        let entries = Entries::parse(tokens, RECURRING, errors);
        // What was left out may be the expression.
        if is_list && entries.is_whole && entries.get("cron").is_none() {
            errors.at(attribute, without_cron(has_options));
        }
        let misfire = entries.get("misfire").map(|entry| entry.choice(&MISFIRE, errors));
        Self {
            cron: entries.get("cron").and_then(|entry| Cron::parse(entry, errors)),
            tz: entries.get("tz").and_then(|entry| zone::read(&entry.string(errors)?, errors)),
            id: entries.get("id").map_or(Id::OfJob, |entry| id(entry, errors)),
            queue: entries
                .get("queue")
                .and_then(|entry| queue::read(&entry.string(errors)?, "the job's queue", errors)),
            misfire: misfire.flatten(),
            max_missed: max_missed(&entries, misfire, errors),
            overlap: entries.get("overlap").and_then(|entry| entry.choice(&OVERLAP, errors)),
            args: entries.get("args").cloned(),
        }
    }
}

/// What is said of an attribute that lacks the expression, and may have other options.
fn without_cron(has_options: bool) -> Problem {
    let problem = Problem::new("`#[recurring]` needs the option `cron`");
    let problem = if has_options {
        problem.help("add `cron = \"0 9 * * *\"` for every day at 9:00")
    } else {
        problem.help("write `#[recurring(cron = \"0 9 * * *\")]` for every day at 9:00")
    };
    problem.note("a schedule that is only triggered by hand has `cron = Cron::never()`")
}

fn only_a_value(meta: &MetaNameValue) -> Problem {
    let cron = match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => "0 9 * * *".to_owned(),
    };
    Problem::new("`#[recurring]` has no value").help(format!("write `#[recurring(cron = {cron:?})]`"))
}

fn id(entry: &Entry, errors: &Errors) -> Id {
    entry.string(errors).map_or(Id::Wrong, |literal| Id::read(literal, errors))
}

/// Reads `max_missed`, which means something beside `misfire = "strict"` only.
fn max_missed(entries: &Entries, misfire: Option<Option<&str>>, errors: &Errors) -> Option<u32> {
    let entry = entries.get("max_missed")?;
    let read = entry.integer(1, LARGEST_MAX_MISSED, errors);
    // A value that has an error may have been meant to be `strict`.
    let may_be_strict = misfire.is_some_and(|mode| mode.is_none_or(|mode| mode == "Strict"));
    if !may_be_strict {
        let problem = Problem::new("`max_missed` needs `misfire = \"strict\"`");
        let problem = problem.help("add `misfire = \"strict\"`, or remove `max_missed`");
        errors.at(&entry.key, problem.note("in this mode alone each missed slot becomes a job"));
    }
    Some(read?.value)
}
