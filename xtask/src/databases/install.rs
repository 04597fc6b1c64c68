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
        let status = command.status().map_err(|error| format!("`apt-get` can't be started: {error}"))?;
        if !status.success() {
            let arguments = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
            return Err(format!("`apt-get {arguments}`: {status}"));
        }
    }
    Ok(())
}

fn commands(kind: Kind) -> [Command; 2] {
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    [apt_get(&["update"]), apt_get(&["install", "--yes", "--no-install-recommends", kind.package()])]
}

/// What to write where xtask can't do it.
pub(crate) fn advice(kind: Kind) -> String {
    let brewed = match kind {
        Kind::Postgres => "postgresql",
        Kind::Mysql => "mariadb",
    };
    format!("`sudo apt-get install {}`, `brew install {brewed}`", kind.package())
}
