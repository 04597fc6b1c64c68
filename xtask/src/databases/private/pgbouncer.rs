use std::{path::PathBuf, process::Command};

use super::{engine::Engine, place::Place};
use crate::databases::{DATABASE, Kind, Url, greeting, program};

/// The pooler's program.
pub(super) struct Pgbouncer(PathBuf);

/// Who logs in. At the server behind, it is the user of that one's URL.
const USER: &str = "jobs";

impl Pgbouncer {
    pub(super) fn installed() -> Result<Self, String> {
        let found = program::find(Kind::Pgbouncer, "pgbouncer");
        found.map(Self).ok_or_else(|| "`pgbouncer` is not installed".to_owned())
    }

    /// Such as `PgBouncer 1.18.0`.
    fn printed_version(&self) -> Result<String, String> {
        let printed = program::output(Command::new(&self.0).arg("--version"))?;
        Ok(printed.lines().next().unwrap_or_default().to_owned())
    }
}

impl Engine for Pgbouncer {
    fn version(&self) -> Result<String, String> {
        Ok(format!("{} of {}", self.printed_version()?, self.0.display()))
    }

    fn initialize(&self, place: &Place) -> Result<(), String> {
        let behind = place.behind.as_ref().ok_or("a pooler needs a server")?;
        place.write("users", &format!("\"{USER}\" \"{}\"\n", place.secret))?;
        let tracks_statements = tracks_statements(&self.printed_version()?);
        place.write("settings", &settings(place.port, behind, tracks_statements)).map(drop)
    }

    fn server(&self, place: &Place) -> Command {
        let mut command = place.command(&self.0);
        command.arg("settings");
        command
    }

    fn is_ready(&self, place: &Place, _process: u32) -> bool {
        greeting::answers(("127.0.0.1", place.port))
    }

    fn url(&self, place: &Place) -> Url {
        Url {
            scheme: "postgres".to_owned(),
            user: Some(USER.to_owned()),
            password: Some(place.secret.clone()),
            host: "127.0.0.1".to_owned(),
            port: Some(place.port),
            database: DATABASE.to_owned(),
            query: String::new(),
        }
    }

    fn stop_signal(&self) -> &'static str {
        "TERM"
    }

    fn kill_signal(&self) -> &'static str {
        "KILL"
    }
}

/// Whether it can keep prepared statements apart, which is to be switched off: what is tested must work without.
fn tracks_statements(version: &str) -> bool {
    let mut numbers = version.split([' ', '.']).skip(1).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (1, 21)
}

/// A connection is a client's for the time of one transaction, and there are fewer of them than of clients.
fn settings(port: u16, behind: &Url, tracks_statements: bool) -> String {
    let database = [
        ("host", behind.parameter("host").or_else(|| Some(behind.host.clone()))),
        ("port", Some(behind.port.unwrap_or(Kind::Postgres.port()).to_string())),
        ("dbname", Some(behind.database.clone())),
        ("user", behind.user.clone()),
        ("password", behind.password.clone()),
    ];
    let database = database.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", quoted(&value?))));
    let mut lines = vec![
        "[databases]".to_owned(),
        format!("{DATABASE} = {}", database.collect::<Vec<_>>().join(" ")),
        "[pgbouncer]".to_owned(),
        "listen_addr = 127.0.0.1".to_owned(),
        format!("listen_port = {port}"),
        "unix_socket_dir =".to_owned(),
        "auth_type = scram-sha-256".to_owned(),
        "auth_file = users".to_owned(),
        "pool_mode = transaction".to_owned(),
        "default_pool_size = 3".to_owned(),
        // Of all tests together.
        "max_client_conn = 1000".to_owned(),
        format!("server_tls_sslmode = {}", behind.parameter("sslmode").unwrap_or_else(|| "prefer".to_owned())),
    ];
    if tracks_statements {
        lines.push("max_prepared_statements = 0".to_owned());
    }
    lines.join("\n") + "\n"
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{settings, tracks_statements};

    #[test]
    fn the_server_behind_is_the_one_of_the_url() {
        let behind = "postgres://ada:it%27s@db.example.org/jobs_test?sslmode=require".parse().expect("a URL");
        let written = settings(25_000, &behind, true);
        let database = "host='db.example.org' port='5432' dbname='jobs_test' user='ada' password='it''s'";
        for line in [database, "server_tls_sslmode = require", "listen_port = 25000", "max_prepared_statements = 0"] {
            assert!(written.contains(line), "{line}: {written}");
        }
    }

    #[test]
    fn only_versions_that_know_a_setting_get_it() {
        assert!(!tracks_statements("PgBouncer 1.18.0") && !tracks_statements("strange"));
        assert!(tracks_statements("PgBouncer 1.21.0") && tracks_statements("PgBouncer 2.0.0"));
    }
}
