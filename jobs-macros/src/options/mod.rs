//! The options of the attributes, read from their tokens.

pub(crate) mod args;
mod commas;
pub(crate) mod cron;
pub(crate) mod duration;
pub(crate) mod list;
pub(crate) mod name;
mod queue;
pub(crate) mod recurring;
pub(crate) mod retention;
pub(crate) mod retry;
pub(crate) mod schedule_id;
pub(crate) mod upgrade;
mod value;
mod zone;

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, LitStr, Path, ext::IdentExt as _, parse_quote};

use self::{
    list::{Entries, Entry, Grammar, Hint},
    name::Name,
    retention::Retention,
    retry::Retry,
    upgrade::Versions,
};
use crate::diagnostic::{Errors, Problem};

const JOB: Grammar = Grammar {
    owner: "#[job]",
    options: &[
        ("queue", "queue = \"mail\""),
        ("priority", "priority = 5"),
        ("retry", "retry(attempts = 5)"),
        ("timeout", "timeout = \"30s\""),
        ("retention", "retention(succeeded = \"7d\")"),
        ("name", "name = \"mail.send_welcome\""),
        ("aliases", "aliases(\"earlier_name\")"),
        ("version", "version = 2"),
        ("upgrade", "upgrade(v1 = from_v1)"),
        ("filters", "filters(Audit, Throttle::new(10))"),
        ("as", "as = SendWelcome"),
        ("crate", "crate = \"::jobs_runtime\""),
    ],
    hints: &[
        ("filter", Hint::Option("filters")),
        ("cron", Hint::Elsewhere("write `#[recurring(cron = \"0 9 * * *\")]` beside `#[job]`")),
        ("every", Hint::Elsewhere("write `#[recurring(cron = \"0 9 * * *\")]` beside `#[job]`")),
        ("schedule", Hint::Elsewhere("write `#[recurring(cron = \"0 9 * * *\")]` beside `#[job]`")),
        ("tz", Hint::Elsewhere("write `#[recurring(cron = \"0 9 * * *\", tz = \"Europe/Berlin\")]` beside `#[job]`")),
    ],
};

const JOBS: Grammar = Grammar {
    owner: "#[jobs]",
    options: &[("filters", "filters(Audit, Throttle::new(10))"), ("crate", "crate = \"::jobs_runtime\"")],
    hints: &[("filter", Hint::Option("filters"))],
};

/// What `#[jobs(…)]` says.
pub(crate) struct JobsOptions {
    /// For all jobs of the block.
    pub(crate) filters: Vec<Expr>,
    pub(crate) crate_path: Option<Path>,
}

impl JobsOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &Errors) -> Self {
        let entries = Entries::parse(tokens, JOBS, errors);
        Self { filters: filters(&entries, errors), crate_path: crate_path(&entries, errors) }
    }
}

/// What `#[job(…)]` says; an option that has an error counts as not said.
pub(crate) struct JobOptions {
    pub(crate) queue: Option<String>,
    pub(crate) priority: Option<i16>,
    pub(crate) retry: Option<Retry>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retention: Retention,
    pub(crate) name: Option<Name>,
    pub(crate) aliases: Vec<Name>,
    pub(crate) versions: Versions,
    pub(crate) filters: Vec<Expr>,
    pub(crate) struct_name: Option<Ident>,
    pub(crate) crate_path: Option<Path>,
}

impl JobOptions {
    /// Reads the options; a name without a type gets `type_name`, one without a method `method`.
    pub(crate) fn parse(tokens: TokenStream, type_name: &str, method: &Ident, errors: &Errors) -> Self {
        let entries = Entries::parse(tokens, JOB, errors);
        let name = entries.get("name").and_then(|entry| Name::parse(&entry.string(errors)?, type_name, errors));
        let default_name = Name { type_name: type_name.to_owned(), method: method.unraw().to_string() };
        Self {
            queue: entries.get("queue").and_then(|entry| queue::read(&entry.string(errors)?, "`\"default\"`", errors)),
            priority: entries.get("priority").and_then(|entry| Some(entry.integer(i16::MIN, i16::MAX, errors)?.value)),
            retry: entries.get("retry").and_then(|entry| Retry::parse(entry, errors)),
            timeout: entries.get("timeout").and_then(|entry| timeout(entry, errors)),
            retention: entries.get("retention").and_then(|entry| Retention::parse(entry, errors)).unwrap_or_default(),
            aliases: aliases(&entries, name.as_ref().unwrap_or(&default_name), type_name, errors),
            versions: Versions::parse(&entries, errors),
            filters: filters(&entries, errors),
            name,
            struct_name: entries.get("as").and_then(|entry| entry.identifier(errors)),
            crate_path: crate_path(&entries, errors),
        }
    }
}

/// The path under which generated code finds `jobs_runtime` when no option says so.
pub(crate) fn default_crate() -> Path {
    parse_quote!(::jobs_runtime)
}

fn timeout(entry: &Entry, errors: &Errors) -> Option<Duration> {
    let read = entry.duration(errors)?;
    if read.value.is_zero() {
        let problem = Problem::new("a job can't finish in no time");
        errors.at(read.literal, problem.help("write a longer `timeout`, or remove it to have no limit"));
        return None;
    }
    Some(read.value)
}

fn filters(entries: &Entries, errors: &Errors) -> Vec<Expr> {
    entries.get("filters").and_then(|entry| entry.expressions(errors)).unwrap_or_default()
}

fn aliases(entries: &Entries, name: &Name, type_name: &str, errors: &Errors) -> Vec<Name> {
    let literals = entries.get("aliases").and_then(|entry| entry.strings(errors)).unwrap_or_default();
    let mut aliases = Vec::new();
    for literal in literals {
        let Some(alias) = Name::parse(&literal, type_name, errors) else { continue };
        if alias == *name {
            let problem = Problem::new("this alias is the job's own name");
            errors.at(literal, problem.help("remove it; an alias is a name that the job had earlier"));
        } else if aliases.contains(&alias) {
            errors.at(literal, Problem::new("this alias is given twice").help("remove one of the two"));
        } else {
            aliases.push(alias);
        }
    }
    aliases
}

fn crate_path(entries: &Entries, errors: &Errors) -> Option<Path> {
    let literal: LitStr = entries.get("crate")?.string(errors)?;
    match literal.parse_with(Path::parse_mod_style) {
        Ok(path) => Some(path),
        Err(_) => {
            let what = format!("`{}` is not the path of a crate", literal.value().escape_debug());
            let help = "write the path under which this crate finds `jobs_runtime`, such as `\"crate::jobs\"`";
            errors.at(literal, Problem::new(what).help(help));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::{ToTokens as _, format_ident, quote};

    use super::JobOptions;
    use crate::diagnostic::Errors;

    fn parse(tokens: TokenStream) -> (JobOptions, Vec<String>) {
        let errors = Errors::new();
        let options = JobOptions::parse(tokens, "my_app", &format_ident!("send"), &errors);
        (options, errors.messages())
    }

    #[test]
    fn every_option_is_read() {
        let (options, messages) = parse(quote! {
            name = "mail.send", aliases("send", "old.send"), as = Send, queue = "mail", priority = -5,
            retry(attempts = 5), timeout = "30s", retention(succeeded = "7d", failed = "1h"), crate = "my::path", filters(Audit, Throttle::new(10, "mail")),
        });
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!((options.queue.as_deref(), options.priority), (Some("mail"), Some(-5)));
        assert_eq!(options.timeout.map(|timeout| timeout.as_secs()), Some(30));
        assert_eq!(options.retry.map(|retry| retry.attempts), Some(5));
        assert_eq!(options.name.map(|name| (name.type_name, name.method)), Some(("mail".into(), "send".into())));
        let aliases: Vec<_> =
            options.aliases.iter().map(|alias| format!("{}.{}", alias.type_name, alias.method)).collect();
        assert_eq!(aliases, ["my_app.send", "old.send"]);
        assert_eq!(options.struct_name.map(|name| name.to_string()).as_deref(), Some("Send"));
        assert_eq!(options.filters.len(), 2);
        let kept = options.retention;
        assert_eq!(
            kept.succeeded.zip(kept.failed).map(|(one, other)| (one.as_secs(), other.as_secs())),
            Some((604_800, 3_600))
        );
        assert_eq!(kept.deleted, None);
        let path = options.crate_path.map(|path| path.to_token_stream().to_string().replace(' ', ""));
        assert_eq!(path.as_deref(), Some("my::path"));
    }

    #[test]
    fn each_wrong_option_is_reported_and_the_others_are_kept() {
        let (options, messages) = parse(quote! {
            queue = "Mail", priority = 40_000, timeout = "0s", name = "mail.", aliases("send", "x", "x"), as = "Send",
            crate = "1", retry = false
        });
        assert_eq!(messages.len(), 9, "{messages:#?}");
        assert!(options.queue.is_none() && options.priority.is_none() && options.timeout.is_none());
        assert_eq!(options.aliases.len(), 1);
    }
}
