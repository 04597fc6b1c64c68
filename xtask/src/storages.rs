use std::fmt;

/// The storages that tests can run on.
const KNOWN: [&str; 2] = ["memory", "sqlite"];

/// Some of the known storages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Storages(Vec<&'static str>);

impl Storages {
    pub(crate) fn all() -> Self {
        Self(KNOWN.to_vec())
    }

    /// Those that are not to be tested. The tests of a storage stand in modules of its name.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &'static str> {
        KNOWN.into_iter().filter(|known| !self.0.contains(known))
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
