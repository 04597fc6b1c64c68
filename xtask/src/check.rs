use crate::{cargo, step::Step};

pub(crate) fn steps() -> Vec<Step> {
    let mut steps = vec![
        Step::new("format", "fmt --all --check"),
        Step::new("lints", "clippy --workspace --all-targets --all-features -- -D warnings"),
        Step::new("documentation", "doc --workspace --all-features --no-deps").variable("RUSTDOCFLAGS", "-D warnings"),
    ];
    if cargo::has("deny") {
        // Advisories change from day to day, and with them the outcome: they are looked at by hand.
        steps.push(Step::new("licences", "deny --all-features check --hide-inclusion-graph bans licenses sources"));
    } else {
        println!("cargo-deny is not installed: licences are not checked");
    }
    steps
}
