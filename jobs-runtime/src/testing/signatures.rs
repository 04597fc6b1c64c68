//! Whether stored calls still fit the jobs of the program.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use serde::{Deserialize, Serialize};

use crate::job::{ArgumentSignature, HandlerDescriptor};

/// The variable that lets the file be written anew.
const ACCEPT: &str = "JOBS_ACCEPT_SIGNATURES";

/// Fails if calls that were stored by an earlier version of this program can't be run by this one: because a job is gone,
/// has another name and no alias, or other arguments. One test in the crate whose jobs are to be watched:
///
/// ```no_run
/// #[test]
/// fn stored_calls_still_fit() {
///     jobs_runtime::testing::assert_signatures("jobs.lock.json");
/// }
/// ```
///
/// The file keeps what was accepted last of all jobs that are linked into the test: their names, and the names and types of
/// their arguments. It belongs into version control. Where there is none, it is written; jobs that are new are added to it. It
/// is not written, but the test fails, where the variable `CI` is set, because there nobody would commit it.
///
/// What fails says what to add to the job. If the change is meant, because nothing is stored any more, say, the file is
/// written anew with `JOBS_ACCEPT_SIGNATURES=1 cargo test`.
///
/// Types are compared as they are written: of a type that keeps its name, but is stored in another way, it knows nothing; of
/// another name for the same type it complains.
///
/// `file` is relative to the folder of the package, which is where `cargo test` runs its tests.
///
/// # Panics
///
/// If calls that may be stored don't fit, or the file can't be read or written.
pub fn assert_signatures(file: impl AsRef<Path>) {
    let is_set = |variable| std::env::var_os(variable).is_some();
    let mode = if is_set(ACCEPT) {
        Mode::Accept
    } else if is_set("CI") {
        Mode::Compare
    } else {
        Mode::Add
    };
    if let Err(problem) = check(file.as_ref(), &Current::linked(), mode) {
        panic!("{problem}");
    }
}

/// What may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing.
    Compare,
    /// New jobs.
    Add,
    /// All.
    Accept,
}

fn check(file: &Path, current: &[Current], mode: Mode) -> Result<(), String> {
    let accepted = if mode == Mode::Accept { Accepted::new() } else { read(file)? };
    let problems = compare(&accepted, current);
    if !problems.is_empty() {
        let list: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
        return Err(format!(
            "calls that were stored before don't fit the jobs of this program:{list}\n\nIf that is meant, because no such \
             call is stored any more, accept it: {ACCEPT}=1 cargo test"
        ));
    }
    let now = current.iter().map(|job| (job.name.clone(), job.signature.clone()));
    // A job that was renamed, and has an alias, stays under the name under which calls may be stored.
    let all: Accepted = accepted.clone().into_iter().chain(now).collect();
    if all == accepted {
        return Ok(());
    }
    let file_name = file.display();
    if mode == Mode::Compare {
        return Err(format!(
            "`{file_name}` does not know all jobs of this program: run this test where `CI` is not set, and commit the file"
        ));
    }
    let text = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n";
    fs::write(file, text).map_err(|error| format!("`{file_name}` can't be written: {error}"))
}

/// By the job's name.
type Accepted = BTreeMap<String, Signature>;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Signature {
    #[serde(default = "first", skip_serializing_if = "is_first")]
    version: u32,
    /// `None` if they are not known.
    arguments: Option<Vec<Argument>>,
}

fn first() -> u32 {
    1
}

fn is_first(version: &u32) -> bool {
    *version == 1
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Argument {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
}

impl From<&ArgumentSignature> for Argument {
    fn from(signature: &ArgumentSignature) -> Self {
        let ArgumentSignature { name, ty, is_optional } = *signature;
        Self { name: name.to_owned(), ty: ty.to_owned(), optional: is_optional }
    }
}

/// A job of this program.
struct Current {
    name: String,
    aliases: Vec<String>,
    signature: Signature,
    /// The earliest version of arguments that it can read.
    earliest: u32,
    place: String,
}

impl Current {
    fn linked() -> Vec<Self> {
        let job = |descriptor: &HandlerDescriptor| {
            let (version, earliest) = descriptor.versions();
            let arguments = descriptor.arguments().map(|arguments| arguments.iter().map(Argument::from).collect());
            Self {
                name: descriptor.name().to_string(),
                aliases: descriptor.aliases().iter().map(ToString::to_string).collect(),
                signature: Signature { version, arguments },
                earliest,
                place: descriptor.location().map_or_else(String::new, |location| format!(" ({location})")),
            }
        };
        inventory::iter::<HandlerDescriptor>.into_iter().map(job).collect()
    }
}

/// Nothing if there is no file yet.
fn read(file: &Path) -> Result<Accepted, String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Accepted::new()),
        Err(error) => return Err(format!("`{}` can't be read: {error}", file.display())),
    };
    serde_json::from_str(&text).map_err(|error| {
        let file = file.display();
        format!("`{file}` is no file of signatures: {error}; remove it, or accept it anew: {ACCEPT}=1 cargo test")
    })
}

/// Why calls that were accepted can't be run.
fn compare(accepted: &Accepted, current: &[Current]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, before) in accepted {
        match current.iter().find(|job| job.name == *name || job.aliases.contains(name)) {
            None => problems.push(gone(name, current)),
            Some(job) => problems.extend(changes(name, before, job)),
        }
    }
    problems
}

fn gone(name: &str, current: &[Current]) -> String {
    let likeness = |job: &&Current| (strsim::normalized_damerau_levenshtein(name, &job.name) * 1_000.0) as u32;
    let near = current.iter().filter(|job| likeness(job) > 600).max_by_key(likeness);
    let hint = near.map_or_else(
        || format!("if it has another name now, add `aliases(\"{name}\")` to it"),
        |job| format!("if it is `{}`{} now, add `aliases(\"{name}\")` there", job.name, job.place),
    );
    format!("job `{name}` is gone: {hint}")
}

fn changes(name: &str, before: &Signature, job: &Current) -> Vec<String> {
    let (then, now) = (before.version, job.signature.version);
    let what = format!("job `{name}`{}: calls of version {then} may be stored, and it", job.place);
    if then > now {
        return vec![format!("{what} is of version {now}")];
    }
    if then < job.earliest {
        return vec![format!("{what} reads those from version {} on: keep `upgrade(v{then} = …)`", job.earliest)];
    }
    match (&before.arguments, &job.signature.arguments) {
        (Some(before), Some(arguments)) if then == now => differences(name, before, arguments, job),
        _ => Vec::new(),
    }
}

fn differences(name: &str, accepted: &[Argument], arguments: &[Argument], job: &Current) -> Vec<String> {
    let now = job.signature.version;
    let upgrade = format!("`version = {}, upgrade(v{now} = …)`", now + 1);
    let difference = |argument: &Argument| {
        let Argument { name: argument_name, ty, optional } = argument;
        let what = format!("job `{name}`{}: argument `{argument_name}: {ty}`", job.place);
        match accepted.iter().find(|before| before.name == *argument_name) {
            None if *optional => None,
            None => Some(format!(
                "{what} is new, and stored calls have none: make it `#[serde(default)]` or an `Option`, or write {upgrade}"
            )),
            Some(before) if before.ty != *ty => {
                Some(format!("{what} was a `{}`: keep the type, or write {upgrade}", before.ty))
            }
            Some(before) if before.optional && !optional => {
                Some(format!("{what} could be missing before: keep its `#[serde(default)]`"))
            }
            Some(_) => None,
        }
    };
    arguments.iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::{Accepted, Argument, Current, Mode, Signature, check, compare};

    fn argument(name: &str, ty: &str, optional: bool) -> Argument {
        Argument { name: name.to_owned(), ty: ty.to_owned(), optional }
    }

    fn job(name: &str, aliases: &[&str], arguments: &[Argument]) -> Current {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let signature = Signature { version: 1, arguments: Some(arguments.to_vec()) };
        Current { name: name.to_owned(), aliases, signature, earliest: 1, place: " (src/mail.rs:7)".to_owned() }
    }

    fn accepted() -> Accepted {
        let arguments = vec![argument("user", "i64", false), argument("note", "String", true)];
        [("app.send_mail".to_owned(), Signature { version: 1, arguments: Some(arguments) })].into()
    }

    fn problem(now: Current) -> String {
        compare(&accepted(), &[now]).join("\n")
    }

    #[test]
    fn the_file_is_written_and_compared_with_and_accepted_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jobs.lock.json");
        let first = || job("app.send_mail", &[], &[argument("user", "i64", false)]);
        let missing = check(&file, &[first()], Mode::Compare).expect_err("no file");
        assert!(missing.contains("does not know all jobs of this program"), "{missing}");
        check(&file, &[first()], Mode::Add).expect("written");
        check(&file, &[first()], Mode::Compare).expect("the same");
        let more = || [first(), job("app.greet", &[], &[])];
        check(&file, &more(), Mode::Add).expect("added");
        check(&file, &more(), Mode::Compare).expect("the same");
        let changed = || [job("app.send_mail", &[], &[argument("user", "u64", false)]), job("app.greet", &[], &[])];
        for mode in [Mode::Compare, Mode::Add] {
            let error = check(&file, &changed(), mode).expect_err("it has another type");
            assert!(error.ends_with("accept it: JOBS_ACCEPT_SIGNATURES=1 cargo test"), "{error}");
        }
        check(&file, &changed(), Mode::Accept).expect("accepted");
        check(&file, &changed(), Mode::Compare).expect("the same");
        std::fs::write(&file, "[]").expect("written");
        assert!(check(&file, &more(), Mode::Add).expect_err("damaged").contains("is no file of signatures"));
    }

    #[test]
    fn what_fits_is_no_problem() {
        let user = || argument("user", "i64", false);
        for arguments in [
            vec![user(), argument("note", "String", true)],
            vec![argument("note", "String", true), user()],
            vec![user()],
            vec![argument("user", "i64", true), argument("more", "Option<u8>", true)],
        ] {
            assert_eq!(problem(job("app.send_mail", &[], &arguments)), "");
            assert_eq!(problem(job("app.send_letter", &["app.send_mail"], &arguments)), "");
        }
    }

    #[test]
    fn a_later_version_that_can_read_the_earlier_is_no_problem() {
        let of_version = |version, earliest| {
            let mut job = job("app.send_mail", &[], &[argument("id", "Uuid", false)]);
            (job.signature.version, job.earliest) = (version, earliest);
            job
        };
        assert_eq!(problem(of_version(3, 1)), "");
        let forgotten = problem(of_version(3, 2));
        assert!(forgotten.ends_with("it reads those from version 2 on: keep `upgrade(v1 = …)`"), "{forgotten}");
        let mut later = accepted();
        later.get_mut("app.send_mail").expect("there").version = 4;
        let back = compare(&later, &[of_version(3, 1)]).join("");
        assert!(back.ends_with("calls of version 4 may be stored, and it is of version 3"), "{back}");
    }

    #[test]
    fn a_job_that_is_gone_is_told_and_where_it_may_be() {
        let expected = "job `app.send_mail` is gone: if it is `app.send_mails` (src/mail.rs:7) now, add \
                        `aliases(\"app.send_mail\")` there";
        assert_eq!(problem(job("app.send_mails", &[], &[])), expected);
        let other = problem(job("shop.charge", &[], &[]));
        assert!(other.ends_with("if it has another name now, add `aliases(\"app.send_mail\")` to it"), "{other}");
    }

    #[test]
    fn arguments_that_stored_calls_do_not_fit_are_told_with_what_to_do() {
        for (arguments, expected) in [
            (vec![argument("user", "String", false)], "argument `user: String` was a `i64`: keep the type"),
            (vec![argument("id", "i64", false)], "argument `id: i64` is new, and stored calls have none"),
            (vec![argument("note", "String", false)], "argument `note: String` could be missing before"),
        ] {
            let problem = problem(job("app.send_mail", &[], &arguments));
            assert!(
                problem.starts_with("job `app.send_mail` (src/mail.rs:7): ") && problem.contains(expected),
                "{problem}"
            );
        }
    }
}
