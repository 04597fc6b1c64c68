use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use super::{engine::Engine, place::Place};
use crate::databases::{DATABASE, Kind, Url, program};

/// PostgreSQL's programs.
pub(super) struct Postgres {
    folder: PathBuf,
}

impl Postgres {
    pub(super) fn installed() -> Result<Self, String> {
        let server = program::find(Kind::Postgres, "initdb").and_then(|initdb| {
            // A link to the program may stand in another folder than the other programs.
            let folder = initdb.canonicalize().ok()?.parent()?.to_owned();
            folder.join("postgres").is_file().then_some(Self { folder })
        });
        server.ok_or_else(|| "`initdb` and `postgres` are not installed".to_owned())
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn initdb(&self, place: &Place, password: &Path) -> Command {
        let mut command = place.command(&self.program("initdb"));
        command
            .args(["--pgdata=data", "--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--pwfile={}", password.display()))
            .arg("--no-sync");
        command
    }
}

impl Engine for Postgres {
    fn version(&self) -> Result<String, String> {
        let printed = program::output(Command::new(self.program("postgres")).arg("--version"))?;
        // postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)
        let version = printed.split(' ').nth(2).unwrap_or("of an unknown version");
        Ok(format!("PostgreSQL {version} of {}", self.folder.display()))
    }

    fn initialize(&self, place: &Place) -> Result<(), String> {
        let password = place.write("password", &place.secret)?;
        program::output(&mut self.initdb(place, &password))?;
        // By the server itself, as there may be no client.
        let sql = place.write("create.sql", &format!("CREATE DATABASE {DATABASE}\n"))?;
        let sql = File::open(sql).map_err(|error| error.to_string())?;
        let mut single = place.command(&self.program("postgres"));
        program::output(single.args(["--single", "-D", "data", "-c", "fsync=off", "postgres"]).stdin(sql)).map(drop)
    }

    fn server(&self, place: &Place) -> Command {
        let mut command = place.command(&self.program("postgres"));
        command.args(["-D", "data", "-p", &place.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // Each commit is written to the log before it is told, as ever; only the disk isn't waited for. What a
            // killed server had written is still there. Only a crash of the whole machine would lose it, and with
            // it the test.
            "fsync=off",
            // Many tests run at once, each with a pool.
            "max_connections=300",
        ] {
            command.args(["-c", setting]);
        }
        command
    }

    fn is_ready(&self, place: &Place, process: u32) -> bool {
        fs::read_to_string(place.file("data/postmaster.pid")).is_ok_and(|state| says_ready(&state, process))
    }

    fn url(&self, place: &Place) -> Url {
        Url {
            scheme: "postgres".to_owned(),
            user: Some("postgres".to_owned()),
            password: Some(place.secret.clone()),
            host: "127.0.0.1".to_owned(),
            port: Some(place.port),
            database: DATABASE.to_owned(),
            query: String::new(),
        }
    }

    fn stop_signal(&self) -> &'static str {
        // Fast shutdown.
        "INT"
    }

    fn kill_signal(&self) -> &'static str {
        // Immediate shutdown: every process of the server ends as it stands. SIGKILL would end only the first one,
        // and no other server can start until the last of the others has noticed.
        "QUIT"
    }
}

/// What `pg_ctl` looks at too. The file of a server that was killed stays, with that one's process id.
fn says_ready(state: &str, process: u32) -> bool {
    let mut lines = state.lines().map(str::trim);
    lines.next() == Some(process.to_string().as_str()) && lines.nth(6) == Some("ready")
}

#[cfg(test)]
mod tests {
    use super::says_ready;

    #[test]
    fn only_the_process_itself_says_that_it_is_ready() {
        let state = "4711\n/tmp/data\n1795249000\n21000\n\n127.0.0.1\n  1234  5\nready   \n";
        assert!(says_ready(state, 4711));
        assert!(!says_ready(state, 4712));
        assert!(!says_ready(&state.replace("ready", "starting"), 4711));
        assert!(!says_ready("4711\n", 4711));
    }
}
