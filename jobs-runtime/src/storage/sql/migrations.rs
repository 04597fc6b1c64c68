//! The numbered steps that make and change the tables.

use super::{CommonOptions, Templates};
use crate::storage::{StorageError, StorageResult};

/// One step from a version of the tables to the next, as
/// [`migrations`](crate::storage::migrations) lists them.
///
/// Steps only add: a program of the version before goes on working beside one of the next.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Migration {
    /// The version that it makes, from 1 on.
    pub version: i64,
    /// What it brings, in a word or two.
    pub name: &'static str,
    /// Its statements, the last of which notes the version in the table `schema`. They are run together: where the
    /// database can, in one transaction.
    pub sql: String,
}

/// The migrations of a database, each with its name and its text.
#[derive(Clone, Copy)]
pub(crate) struct Migrations {
    /// Makes the table that notes the versions; it may be run again.
    pub(crate) before: &'static str,
    pub(crate) steps: &'static [(&'static str, &'static str)],
}

impl Migrations {
    /// The version that this program writes.
    pub(crate) fn latest(&self) -> i64 {
        self.steps.len() as i64
    }

    /// The steps that make the latest version of `found`.
    pub(crate) fn after(&self, found: i64, sql: &Templates) -> Vec<Migration> {
        let steps = (1_i64..).zip(self.steps).filter(|(version, _)| *version > found);
        steps.map(|(version, (name, text))| self.step(version, name, text, sql)).collect()
    }

    fn step(&self, version: i64, name: &'static str, text: &str, sql: &Templates) -> Migration {
        let before = if version == 1 { self.before } else { "" };
        let note = format!("INSERT INTO {{p}}schema (version) VALUES ({version});\n");
        Migration { version, name, sql: sql.expand(&format!("{before}{}\n\n{note}", text.trim_end()), "", 0) }
    }

    /// Whether the tables of version `found` are to be migrated; an error if they can't be used.
    pub(crate) fn check(&self, options: &CommonOptions, found: i64) -> StorageResult<bool> {
        let supported = self.latest();
        if found > supported {
            return Err(StorageError::SchemaTooNew { storage: options.storage.clone(), found, supported });
        }
        if found < supported && !options.prepare_schema {
            return Err(options.open_error(format!(
                "its tables are of schema version {found}, version {supported} is needed, and `prepare_schema` is off: \
                 call `migrate` with a user that may change tables, or run the statements that `migrations` lists"
            )));
        }
        Ok(found < supported)
    }

    /// The names of all tables, which a storage of the latest version must have.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &'static str> {
        let texts = std::iter::once(self.before).chain(self.steps.iter().map(|(_, text)| *text));
        texts.flat_map(|text| text.split("CREATE TABLE ").skip(1)).filter_map(|rest| {
            let name = rest.trim_start_matches("IF NOT EXISTS ").strip_prefix("{p}")?;
            name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
        })
    }

    /// An error if some of the tables are not there, which is told at the start, and not at the first job.
    pub(crate) fn check_tables(&self, options: &CommonOptions, prefix: &str, there: &[String]) -> StorageResult<()> {
        let missing: Vec<String> =
            self.tables().map(|table| format!("{prefix}{table}")).filter(|table| !there.contains(table)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let reason =
            format!("its schema version is {}, but these tables are missing: {}", self.latest(), missing.join(", "));
        Err(StorageError::Corrupt { storage: options.storage.clone(), reason })
    }
}
