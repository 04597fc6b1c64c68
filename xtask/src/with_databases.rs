use std::process::{Command, ExitCode};

use crate::{databases::Databases, storages::Storages};

/// What to run, and with which databases.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) storages: Storages,
    /// Whether servers that answer on their usual ports are left alone.
    pub(crate) private: bool,
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

/// Ends as the program does.
pub(crate) fn run(options: &Options) -> Result<ExitCode, String> {
    let databases = Databases::set_up(&options.storages, options.private)?;
    let mut command = Command::new(&options.program);
    command.args(&options.arguments).envs(databases.variables().iter().map(|(name, value)| (name, value)));
    let status = command.status().map_err(|error| format!("`{}` can't be started: {error}", options.program))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
