//! Servers of our own: for tests where no other server can be used, and for tests that stop and kill theirs.

mod engine;
mod keeper;
mod mysql;
mod pgbouncer;
mod place;
mod postgres;
mod request;
mod server;
mod watch;

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::Kind;

/// The task that keeps servers, which only xtask itself starts.
pub(crate) const KEEPER: &str = "keep-servers";
/// The task that asks the keeper, which tests start.
pub(crate) const CONTROL: &str = "private-server";

/// The process that keeps our servers. When this is dropped, or xtask ends in whatever way, they end.
#[derive(Debug)]
pub(crate) struct Servers {
    keeper: Child,
    socket: PathBuf,
}

impl Servers {
    pub(crate) fn new() -> Result<Self, String> {
        let mut command = Command::new(this_program()?);
        // A group of its own: what is typed at the terminal, such as Ctrl-C, ends xtask and not its keeper.
        command.arg(KEEPER).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn().map_err(|error| format!("the keeper of servers can't be started: {error}"))?;
        let mut socket = String::new();
        let read = keeper.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut socket));
        match read {
            Some(Ok(length)) if length > 0 => Ok(Self { keeper, socket: PathBuf::from(socket.trim_end()) }),
            _ => Err("the keeper of servers didn't start".to_owned()),
        }
    }

    /// Starts a new server, and returns its URL; a pooler stands before the server `behind`.
    pub(crate) fn create(&self, kind: Kind, behind: Option<&str>) -> Result<String, String> {
        keeper::ask(&self.socket, &format!("{} create {}", kind.name(), behind.unwrap_or_default()))
    }

    /// With what tests make, stop and kill servers: a line for a shell, to which they add what to do.
    pub(crate) fn control(&self, kind: Kind) -> Result<String, String> {
        let program = this_program()?;
        Ok(format!("{} {CONTROL} {} {}", quoted(&program), quoted(&self.socket), kind.name()))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("the keeper of servers: {error}");
        }
    }
}

/// Version and place of what is installed, or why no server can be started.
pub(crate) fn installed(kind: Kind) -> Result<String, String> {
    engine::installed(kind)?.version()
}

/// The keeper's task.
pub(crate) fn keep() -> Result<(), String> {
    keeper::run()
}

/// The tests' task: the words are a socket, a storage, and what to do.
pub(crate) fn control(words: &[String]) -> Result<String, String> {
    let [socket, request @ ..] = words else { return Err("which socket?".to_owned()) };
    keeper::ask(Path::new(socket), &request.join(" "))
}

fn this_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("the path of this program is unknown: {error}"))
}

/// One word for a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::quoted;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(quoted(Path::new("/my jobs/it's")), r"'/my jobs/it'\''s'");
    }
}
