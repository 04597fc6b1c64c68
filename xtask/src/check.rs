use crate::{cargo, step::Step};

/// What users choose: the library with one storage, or without any that needs a database.
fn features(title: &'static str, features: &str) -> Step {
    Step::new(title, "clippy --package jobs-runtime --lib --no-default-features")
        .argument(format!("--features={features}"))
        .argument("--")
        .argument("-Dwarnings")
}

pub(crate) fn steps() -> Vec<Step> {
    let mut steps = vec![
        Step::new("format", "fmt --all --check"),
        Step::new("lints", "clippy --workspace --all-targets --all-features -- -D warnings"),
        Step::new("documentation", "doc --workspace --all-features --no-deps").variable("RUSTDOCFLAGS", "-D warnings"),
    ];
    // All features at once are checked above.
    steps.extend([
        features("no features", ""),
        features("feature sqlite", "sqlite"),
        features("feature postgres", "postgres"),
        features("feature mysql", "mysql"),
        features("features sqlite and postgres", "sqlite,postgres"),
        features("features sqlite and mysql", "sqlite,mysql"),
        features("features postgres and mysql", "postgres,mysql"),
    ]);
    if cargo::has("deny") {
        // Advisories change from day to day, and with them the outcome: they are looked at by hand.
        steps.push(Step::new("licences", "deny --all-features check --hide-inclusion-graph bans licenses sources"));
    } else {
        println!("cargo-deny is not installed: licences are not checked");
    }
    steps
}
