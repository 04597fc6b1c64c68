use std::process::ExitCode;

use crate::{
    cargo,
    databases::Databases,
    step::{self, Step},
    storages::Storages,
};

/// What to test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) storages: Storages,
    /// Whether servers that answer on their usual ports are left alone.
    pub(crate) private: bool,
    /// Packages, or `doc`; everything if it is empty.
    pub(crate) only: Vec<String>,
}

/// All steps build with the same features and profile, so that nothing is built twice.
const ALL_FEATURES: &str = "--all-features --no-fail-fast";

/// The packages whose tests need databases.
const WITH_DATABASES: [&str; 2] = ["jobs-runtime", "jobs-tests"];

pub(crate) fn run(options: &Options) -> Result<ExitCode, String> {
    let nextest = cargo::has("nextest");
    if !nextest {
        println!("cargo-nextest is not installed: the tests run with `cargo test`");
    }
    for storage in options.storages.left_out() {
        println!("left out by `--storages`: the tests of {storage}");
    }
    let databases = match needs_databases(&options.only) {
        true => Databases::set_up(&options.storages, options.private)?,
        false => Databases::default(),
    };
    let left_out = options.storages.left_out().map(|name| format!("{name}::"));
    let left_out: Vec<String> = left_out.chain(databases.left_out().iter().cloned()).collect();
    let outcome = step::run_all("test", &plan(&options.only, &left_out, nextest), databases.variables());
    if !left_out.is_empty() {
        println!("left out: {}", left_out.join(", "));
    }
    Ok(outcome)
}

fn needs_databases(only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|name| WITH_DATABASES.contains(&name.as_str()))
}

/// `left_out` are modules of tests.
fn plan(only: &[String], left_out: &[String], nextest: bool) -> Vec<Step> {
    let packages: Vec<&String> = only.iter().filter(|name| *name != "doc").collect();
    let (all, docs) = (only.is_empty(), packages.len() < only.len());
    let mut steps = Vec::new();
    if all || !packages.is_empty() {
        steps.push(tests(&packages, left_out, nextest));
    }
    // `cargo test` runs the documentation's examples with the tests, cargo-nextest doesn't.
    if docs || all && nextest {
        steps.push(Step::new("doctests", &format!("test --doc --workspace {ALL_FEATURES}")));
    }
    steps
}

fn tests(packages: &[&String], left_out: &[String], nextest: bool) -> Step {
    let runner = if nextest { "nextest run" } else { "test" };
    let chosen: String = packages.iter().map(|package| format!("--package {package} ")).collect();
    let chosen = if packages.is_empty() { "--workspace " } else { &chosen };
    let step = Step::new("tests", &format!("{runner} {chosen}{ALL_FEATURES}"));
    match (left_out, nextest) {
        ([], _) => step,
        (modules, true) => {
            let filters: Vec<String> = modules.iter().map(|module| format!("not test(/\\b{module}/)")).collect();
            step.argument("--filterset").argument(filters.join(" and "))
        }
        (modules, false) => {
            modules.iter().fold(step.argument("--"), |step, module| step.argument("--skip").argument(module))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{needs_databases, plan};

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn planned(only: &[&str], left_out: &[&str], nextest: bool) -> Vec<String> {
        plan(&owned(only), &owned(left_out), nextest).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_is_one_run_of_cargo_test_or_two_with_nextest() {
        let doctests = "cargo test --doc --workspace --all-features --no-fail-fast";
        assert_eq!(planned(&[], &[], false), ["cargo test --workspace --all-features --no-fail-fast"]);
        assert_eq!(planned(&[], &[], true), ["cargo nextest run --workspace --all-features --no-fail-fast", doctests]);
        assert_eq!(planned(&["doc"], &[], true), [doctests]);
    }

    #[test]
    fn tests_are_left_out_by_the_names_of_their_modules() {
        let planned = |nextest| planned(&["a"], &["memory::", "mysql::private_server::"], nextest)[0].clone();
        let skipped = " -- --skip memory:: --skip mysql::private_server::";
        assert!(planned(false).ends_with(skipped), "{}", planned(false));
        let filtered = r" --filterset not test(/\bmemory::/) and not test(/\bmysql::private_server::/)";
        assert!(planned(true).ends_with(filtered), "{}", planned(true));
    }

    #[test]
    fn packages_can_be_chosen() {
        let chosen = "cargo test --package a --package b --all-features --no-fail-fast";
        assert_eq!(planned(&["a", "b"], &[], false), [chosen]);
        assert_eq!(planned(&["a", "doc"], &[], true).len(), 2);
    }

    #[test]
    fn no_server_is_started_for_tests_that_need_none() {
        assert!(needs_databases(&[]));
        assert!(needs_databases(&owned(&["quickstart", "jobs-tests"])));
        assert!(!needs_databases(&owned(&["quickstart", "doc"])));
    }
}
