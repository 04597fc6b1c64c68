use crate::{cargo, step::Step, storages::Storages};

/// What to test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) storages: Storages,
    /// Packages, or `doc`; everything if it is empty.
    pub(crate) only: Vec<String>,
}

/// All steps build with the same features and profile, so that nothing is built twice.
const ALL_FEATURES: &str = "--all-features --no-fail-fast";

pub(crate) fn steps(options: &Options) -> Vec<Step> {
    let nextest = cargo::has("nextest");
    if !nextest {
        println!("cargo-nextest is not installed: the tests run with `cargo test`");
    }
    for storage in options.storages.left_out() {
        println!("left out by `--storages`: the tests of {storage}");
    }
    plan(options, nextest)
}

fn plan(options: &Options, nextest: bool) -> Vec<Step> {
    let packages: Vec<&String> = options.only.iter().filter(|name| *name != "doc").collect();
    let (all, docs) = (options.only.is_empty(), packages.len() < options.only.len());
    let mut steps = Vec::new();
    if all || !packages.is_empty() {
        steps.push(tests(&packages, &options.storages, nextest));
    }
    // `cargo test` runs the documentation's examples with the tests, cargo-nextest doesn't.
    if docs || all && nextest {
        steps.push(Step::new("doctests", &format!("test --doc --workspace {ALL_FEATURES}")));
    }
    steps
}

fn tests(packages: &[&String], storages: &Storages, nextest: bool) -> Step {
    let runner = if nextest { "nextest run" } else { "test" };
    let chosen: String = packages.iter().map(|package| format!("--package {package} ")).collect();
    let chosen = if packages.is_empty() { "--workspace " } else { &chosen };
    let step = Step::new("tests", &format!("{runner} {chosen}{ALL_FEATURES}"));
    let left_out: Vec<&str> = storages.left_out().collect();
    match (left_out.as_slice(), nextest) {
        ([], _) => step,
        (names, true) => {
            let filters: Vec<String> = names.iter().map(|name| format!("not test(/\\b{name}::/)")).collect();
            step.argument("--filterset").argument(filters.join(" and "))
        }
        (names, false) => {
            names.iter().fold(step.argument("--"), |step, name| step.argument("--skip").argument(format!("{name}::")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, plan};
    use crate::storages::{self, Storages};

    fn planned(only: &[&str], nextest: bool) -> Vec<String> {
        let only = only.iter().map(ToString::to_string).collect();
        plan(&Options { storages: Storages::all(), only }, nextest).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_is_one_run_of_cargo_test_or_two_with_nextest() {
        let doctests = "cargo test --doc --workspace --all-features --no-fail-fast";
        assert_eq!(planned(&[], false), ["cargo test --workspace --all-features --no-fail-fast"]);
        assert_eq!(planned(&[], true), ["cargo nextest run --workspace --all-features --no-fail-fast", doctests]);
        assert_eq!(planned(&["doc"], true), [doctests]);
    }

    #[test]
    fn the_tests_of_other_storages_are_left_out_by_name() {
        let planned = |nextest| {
            let options = Options { storages: storages::parse("sqlite").expect("known"), only: vec!["a".to_owned()] };
            plan(&options, nextest)[0].to_string()
        };
        assert!(planned(false).ends_with(" -- --skip memory::"), "{}", planned(false));
        assert!(planned(true).ends_with(r" --filterset not test(/\bmemory::/)"), "{}", planned(true));
    }

    #[test]
    fn packages_can_be_chosen() {
        let chosen = "cargo test --package a --package b --all-features --no-fail-fast";
        assert_eq!(planned(&["a", "b"], false), [chosen]);
        assert_eq!(planned(&["a", "doc"], true).len(), 2);
    }
}
