use std::{error::Error, fmt};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

use super::{Job, JobContext, JobError, JobName};

/// The [parameter](super::Parameters) that tells which version a job's arguments are; there is none of the first.
pub(crate) const VERSION: &str = "jobs.version";

/// Makes the arguments of one version from those of the version before; `#[job(upgrade(v1 = …))]` writes it.
#[derive(Clone, Copy)]
pub struct Upgrade {
    /// The version of the arguments that it takes.
    pub from: u32,
    /// Takes them as JSON, and returns those of the next version.
    pub convert: fn(&str) -> Result<Box<RawValue>, JobError>,
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Converts stored arguments by a function that takes them as a type, and returns what is stored as another.
#[doc(hidden)]
pub fn upgrade<A, B, E>(stored: &str, convert: impl FnOnce(A) -> Result<B, E>) -> Result<Box<RawValue>, JobError>
where
    A: DeserializeOwned,
    B: Serialize,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let arguments: A = serde_json::from_str(stored).map_err(JobError::permanent)?;
    let converted = convert(arguments).map_err(JobError::permanent)?;
    to_raw_value(&converted).map_err(JobError::permanent)
}

/// The job with the arguments that are stored, of whatever version they are.
pub(super) fn read<J: Job>(stored: &str, cx: &JobContext) -> Result<Option<Box<RawValue>>, JobError> {
    let found: u32 = cx.parameter(VERSION).map_err(JobError::permanent)?.unwrap_or(1);
    if found > J::VERSION {
        return Err(JobError::new(LaterVersion { job: J::NAME, found, known: J::VERSION }));
    }
    let mut upgraded: Option<Box<RawValue>> = None;
    for version in found..J::VERSION {
        let upgrade = J::UPGRADES.iter().find(|upgrade| upgrade.from == version);
        let upgrade = upgrade.ok_or_else(|| JobError::permanent(NoUpgrade { job: J::NAME, found, version }))?;
        let arguments = upgraded.as_deref().map_or(stored, RawValue::get);
        upgraded = Some((upgrade.convert)(arguments).map_err(|error| error.in_upgrade(version))?);
    }
    Ok(upgraded)
}

/// A later version of the program has stored the job. It is tried again, because such a program may run elsewhere.
#[derive(Debug, thiserror::Error)]
#[error(
    "the arguments of job `{job}` are of version {found}, and this program knows them up to version {known}: run it with \
     the program that stored it"
)]
struct LaterVersion {
    job: JobName,
    found: u32,
    known: u32,
}

/// The program can't read arguments that are so old.
#[derive(Debug, thiserror::Error)]
#[error(
    "the arguments of job `{job}` are of version {found}, and nothing makes version {} of version {version}: add \
     `upgrade(v{version} = …)` to the job", version + 1
)]
struct NoUpgrade {
    job: JobName,
    found: u32,
    version: u32,
}
