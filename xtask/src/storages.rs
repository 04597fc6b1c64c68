use std::fmt;

/// The storages that tests can run on.
const KNOWN: [&str; 2] = ["memory", "sqlite"];

/// The variable by which tests learn which storages to run on: names with commas between them.
pub(crate) const VARIABLE: &str = "JOBS_TEST_STORAGES";

/// Some of the known storages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Storages(Vec<&'static str>);

impl Storages {
    pub(crate) fn all() -> Self {
        Self(KNOWN.to_vec())
    }
}

impl fmt::Display for Storages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

pub(crate) fn parse(names: &str) -> Result<Storages, String> {
    names.split(',').map(|name| known(name.trim())).collect::<Result<_, _>>().map(Storages)
}

fn known(name: &str) -> Result<&'static str, String> {
    let found = KNOWN.into_iter().find(|known| *known == name);
    found.ok_or_else(|| format!("unknown storage `{name}`; known are {}", KNOWN.join(", ")))
}
