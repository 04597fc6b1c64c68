use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The cargo that runs this program.
fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// A call of cargo in the root of the workspace.
pub(crate) fn command() -> Command {
    let mut command = Command::new(program());
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

/// Whether cargo has this subcommand, of those that must be installed by themselves.
pub(crate) fn has(subcommand: &str) -> bool {
    let mut version = command();
    version.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}
