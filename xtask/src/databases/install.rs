use std::{ffi::OsStr, process::Command};

use super::{Kind, account, program};

/// Installs the distribution's server, where that can be done without asking anybody.
pub(crate) fn server(kind: Kind) -> Result<(), String> {
    if program::find(kind, "apt-get").is_none() {
        return Err("xtask can install it only with `apt-get`, which isn't here".to_owned());
    }
    if !account::is_root() {
        return Err("xtask installs it only as root".to_owned());
    }
    println!("{}: installing the package {} with apt-get …", kind.name(), kind.package());
    for mut command in commands(kind) {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
        let status = command.status().map_err(|error| format!("`{words}` can't be started: {error}"))?;
        if !status.success() {
            return Err(format!("`{words}`: {status}"));
        }
    }
    Ok(())
}

fn commands(kind: Kind) -> Vec<Command> {
    let command = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let mut commands = vec![
        command("apt-get", &["update", "--quiet"]),
        command("apt-get", &["install", "--quiet", "--yes", "--no-install-recommends", kind.package()]),
    ];
    if kind == Kind::Pgbouncer {
        // The package starts a pooler of its own, which nobody has asked for.
        commands.push(command("service", &["pgbouncer", "stop"]));
        commands.push(command("update-rc.d", &["pgbouncer", "disable"]));
    }
    commands
}

/// What to write where xtask can't do it.
pub(crate) fn advice(kind: Kind) -> String {
    let brewed = match kind {
        Kind::Postgres => "postgresql",
        Kind::Pgbouncer => "pgbouncer",
        Kind::Mysql => "mariadb",
    };
    format!("`sudo apt-get install {}`, `brew install {brewed}`", kind.package())
}
