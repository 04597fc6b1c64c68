use std::fmt;

/// The storages that tests can run on; PostgreSQL also through a pooler.
const KNOWN: [&str; 5] = ["memory", "sqlite", "postgres", "pgbouncer", "mysql"];

/// Some of the known storages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Storages(Vec<&'static str>);

impl Storages {
    pub(crate) fn all() -> Self {
        Self(KNOWN.to_vec())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// How to test the others, if there are any.
    pub(crate) fn advice_without(&self, name: &str) -> String {
        let others: Vec<&str> = self.0.iter().copied().filter(|storage| *storage != name).collect();
        match others.as_slice() {
            [] => String::new(),
            others => format!("\nOr leave {name} out: `--storages {}`", others.join(",")),
        }
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
