use std::process::Command;

use super::{Kind, program};

/// A user of this machine that a program runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Account {
    /// Whom a server must run as: servers refuse root. `None` is the current user.
    pub(crate) fn of_server(kind: Kind) -> Result<Option<Self>, String> {
        if !is_root() {
            return Ok(None);
        }
        let usual = match kind {
            Kind::Postgres | Kind::Pgbouncer => "postgres",
            Kind::Mysql => "mysql",
        };
        let found = [usual, "nobody"].into_iter().find_map(Self::named);
        found.map(Some).ok_or_else(|| format!("servers refuse root, and there is no user `{usual}` or `nobody`"))
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let id = |option| program::output(Command::new("id").args([option, name])).ok()?.parse().ok();
        Some(Self { user: id("-u")?, group: id("-g")? })
    }

    /// Starts the command as this user.
    pub(crate) fn run(self, command: &mut Command) {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::gid(command, self.group);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::uid(command, self.user);
        #[cfg(not(unix))]
        let _ = command;
    }
}

pub(crate) fn is_root() -> bool {
    program::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// The name of the current user, which servers take as a login's default.
pub(crate) fn user_name() -> Option<String> {
    program::output(Command::new("id").arg("-un")).ok()
}
