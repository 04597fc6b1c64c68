use std::{any::TypeId, fmt, future::Future, pin::Pin};

use serde_json::value::RawValue;

use super::{
    ArgumentSignature, Invocation, Job, JobContext, JobError, JobName, JobOutput as _, JobSettings, Requirements,
    Upgrade, upgrade,
};

/// What a run of a handler comes to: the result as JSON, or the error.
pub type Output = Result<Box<RawValue>, JobError>;
type Perform = fn(Invocation, JobContext) -> Pin<Box<dyn Future<Output = Output> + Send>>;

/// A handler as a server knows it: a job without its type.
///
/// `#[job]` submits one of these for each function, and every server finds all that are linked into its
/// program.
#[derive(Clone, Copy)]
pub struct HandlerDescriptor {
    pub(crate) type_id: fn() -> TypeId,
    pub(crate) name: fn() -> JobName,
    pub(crate) aliases: &'static [JobName],
    pub(crate) settings: fn() -> JobSettings,
    pub(crate) location: Option<Location>,
    pub(crate) arguments: Option<&'static [ArgumentSignature]>,
    pub(crate) version: u32,
    pub(crate) upgrades: &'static [Upgrade],
    pub(crate) requirements: fn(&mut Requirements),
    pub(crate) perform: Perform,
}

impl HandlerDescriptor {
    /// Describes the job `J`.
    #[must_use]
    pub const fn of<J: Job>() -> Self {
        Self {
            type_id: TypeId::of::<J>,
            name: || J::NAME,
            aliases: J::ALIASES,
            settings: || J::SETTINGS,
            location: J::LOCATION,
            arguments: J::ARGUMENTS,
            version: J::VERSION,
            upgrades: J::UPGRADES,
            requirements: J::requirements,
            perform: |invocation, cx| Box::pin(perform::<J>(invocation, cx)),
        }
    }

    /// The stored name of the job.
    #[must_use]
    pub fn name(&self) -> JobName {
        (self.name)()
    }

    /// Its earlier names.
    #[must_use]
    pub fn aliases(&self) -> &'static [JobName] {
        self.aliases
    }

    /// Its arguments as they stand in the source, if that is known.
    #[must_use]
    pub fn arguments(&self) -> Option<&'static [ArgumentSignature]> {
        self.arguments
    }

    /// The version of its arguments, and the earliest that it can still read.
    #[must_use]
    pub fn versions(&self) -> (u32, u32) {
        let can_be_upgraded = |version: &u32| self.upgrades.iter().any(|upgrade| upgrade.from == *version);
        let earlier = (1..self.version).rev().take_while(can_be_upgraded).last();
        (self.version, earlier.unwrap_or(self.version))
    }

    /// Where the job stands in the source, if that is known.
    #[must_use]
    pub fn location(&self) -> Option<Location> {
        self.location
    }
}

async fn perform<J: Job>(invocation: Invocation, cx: JobContext) -> Output {
    // Arguments that don't fit today won't fit after a retry.
    let invocation = match upgrade::read::<J>(invocation.arguments(), &cx)? {
        Some(upgraded) => Invocation::new(J::NAME, &upgraded).map_err(JobError::permanent)?,
        None => invocation,
    };
    let job: J = invocation.parse().map_err(JobError::permanent)?;
    let output = job.perform(cx).await?;
    output.to_json().map_err(|error| {
        JobError::permanent(format!("the result of job `{}` can't be written as JSON: {error}", J::NAME))
    })
}

impl fmt::Debug for HandlerDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerDescriptor").field("name", &self.name()).field("location", &self.location).finish()
    }
}

inventory::collect!(HandlerDescriptor);

/// A place in the source, such as `src/mail.rs:12`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location {
    package: Option<&'static str>,
    file: &'static str,
    line: u32,
}

impl Location {
    /// The place given by `file!()` and `line!()`.
    #[must_use]
    pub const fn new(file: &'static str, line: u32) -> Self {
        Self { package: None, file, line }
    }

    /// The same in this package; file names begin at its folder or at that of its workspace.
    #[must_use]
    pub const fn in_package(mut self, package: &'static str) -> Self {
        self.package = Some(package);
        self
    }

    /// The name of the package, if it is known.
    #[must_use]
    pub const fn package(&self) -> Option<&'static str> {
        self.package
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
