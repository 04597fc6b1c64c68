use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Account, Kind, Url, program};

/// Why nothing was asked.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// None of the client's programs is installed.
    Missing(Kind),
    Failed(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(kind) => write!(f, "`{}` is not installed", kind.clients().join("` or `")),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

pub(crate) fn find(kind: Kind) -> Result<PathBuf, ClientError> {
    kind.clients().iter().find_map(|name| program::find(kind, name)).ok_or(ClientError::Missing(kind))
}

/// Lets the database's own client execute a statement. Building a driver would make each start of xtask wait.
pub(crate) fn execute(kind: Kind, url: &Url, sql: &str) -> Result<String, ClientError> {
    execute_as(None, kind, url, sql)
}

/// The same as another user of this machine.
pub(crate) fn execute_as(account: Option<Account>, kind: Kind, url: &Url, sql: &str) -> Result<String, ClientError> {
    let client = find(kind)?;
    let mut command = match kind {
        Kind::Postgres | Kind::Pgbouncer => psql(&client, url, sql),
        Kind::Mysql => mysql(&client, url, sql),
    };
    if let Some(account) = account {
        account.run(command.current_dir("/"));
    }
    program::output(command.stdin(Stdio::null())).map_err(|message| ClientError::Failed(reason(&message)))
}

/// The version of a server, asked with a login: the proof that tests can connect.
pub(crate) fn version(kind: Kind, url: &Url) -> Result<String, ClientError> {
    match kind {
        // Without what Debian adds in brackets.
        Kind::Postgres | Kind::Pgbouncer => execute(kind, url, "SHOW server_version")
            .map(|version| format!("PostgreSQL {}", version.split(' ').next().unwrap_or_default())),
        Kind::Mysql => execute(kind, url, "SELECT VERSION()").map(|version| mysql_version(&version)),
    }
}

pub(crate) fn mysql_version(version: &str) -> String {
    match version.split_once("-MariaDB") {
        Some((version, _)) => format!("MariaDB {}", version.trim_start_matches("5.5.5-")),
        None => format!("MySQL {version}"),
    }
}

fn psql(program: &Path, url: &Url, sql: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align"]);
    option(&mut command, "--host", url.parameter("host").as_deref().unwrap_or(&url.host));
    option(&mut command, "--port", &url.port.unwrap_or(Kind::Postgres.port()).to_string());
    option(&mut command, "--username", url.user.as_deref().unwrap_or_default());
    option(&mut command, "--dbname", &url.database);
    option(&mut command, "--command", sql);
    // A password among the arguments could be read by everyone on this machine.
    command.envs(url.password.iter().map(|password| ("PGPASSWORD", password)));
    command.envs(url.parameter("sslmode").iter().map(|mode| ("PGSSLMODE", mode)));
    command.env("PGCONNECT_TIMEOUT", "5");
    command
}

fn mysql(program: &Path, url: &Url, sql: &str) -> Command {
    let mut command = Command::new(program);
    // The user's own defaults may hold a password, which tests wouldn't have.
    command.args(["--no-defaults", "--batch", "--skip-column-names", "--connect-timeout=5"]);
    if url.parameter("ssl-mode").is_none() {
        // Newer clients insist on TLS with a server's certificate, which a local server doesn't have.
        command.arg("--loose-skip-ssl");
    }
    match url.parameter("socket") {
        Some(socket) => option(&mut command, "--socket", &socket),
        None => {
            command.arg("--protocol=tcp");
            option(&mut command, "--host", &url.host);
            option(&mut command, "--port", &url.port.unwrap_or(Kind::Mysql.port()).to_string());
        }
    }
    option(&mut command, "--user", url.user.as_deref().unwrap_or_default());
    option(&mut command, "--database", &url.database);
    option(&mut command, "--execute", sql);
    command.envs(url.password.iter().map(|password| ("MYSQL_PWD", password)));
    command
}

fn option(command: &mut Command, name: &str, value: &str) {
    if !value.is_empty() {
        command.arg(format!("{name}={value}"));
    }
}

/// What a client complains of, without its name, the statement, and where it asked.
fn reason(message: &str) -> String {
    let told = message.lines().find(|line| line.to_lowercase().contains("error")).unwrap_or(message);
    let told = told.rsplit("failed: ").next().unwrap_or_default();
    told.split_once("`: ").map_or(told, |(_, told)| told).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::{path::Path, process::Command};

    use super::{mysql, mysql_version, psql, reason};

    fn arguments(command: &Command) -> Vec<String> {
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn passwords_are_no_arguments() {
        let url = "x://ada:secret@127.0.0.1:1234/jobs_test".parse().expect("a URL");
        for command in [psql(Path::new("psql"), &url, "SELECT 1"), mysql(Path::new("mysql"), &url, "SELECT 1")] {
            let arguments = arguments(&command);
            assert!(!arguments.iter().any(|argument| argument.contains("secret")), "{arguments:?}");
            assert!(command.get_envs().any(|(_, value)| value == Some("secret".as_ref())));
            for wanted in ["--host=127.0.0.1", "--port=1234", "SELECT 1", "jobs_test"] {
                assert!(arguments.iter().any(|argument| argument.contains(wanted)), "{wanted}: {arguments:?}");
            }
        }
    }

    #[test]
    fn sockets_are_understood() {
        let url = "postgres://root@%2Frun%2Fpostgresql/postgres".parse().expect("a URL");
        assert!(arguments(&psql(Path::new("psql"), &url, "")).contains(&"--host=/run/postgresql".to_owned()));
        let url = "mysql://root@localhost/?socket=/tmp/s".parse().expect("a URL");
        let arguments = arguments(&mysql(Path::new("mysql"), &url, ""));
        assert!(arguments.contains(&"--socket=/tmp/s".to_owned()), "{arguments:?}");
        assert!(!arguments.iter().any(|argument| argument.starts_with("--host")), "{arguments:?}");
    }

    #[test]
    fn mariadb_and_mysql_are_told_apart() {
        assert_eq!(mysql_version("5.5.5-10.11.19-MariaDB-0+deb12u1"), "MariaDB 10.11.19");
        assert_eq!(mysql_version("11.4.2-MariaDB"), "MariaDB 11.4.2");
        assert_eq!(mysql_version("8.4.3"), "MySQL 8.4.3");
    }

    #[test]
    fn a_refusal_is_told_in_short() {
        let psql = "`/usr/bin/psql`: psql: error: connection to server at \"::1\", port 5432 failed: FATAL:  no role\n";
        assert_eq!(reason(psql), "FATAL:  no role");
        assert_eq!(reason("`/usr/bin/psql`: ERROR:  syntax error\nLINE 1: SELEC 1"), "ERROR:  syntax error");
        let mariadb = "`mariadb`: --------------\nSELECT x\n--------------\n\nERROR 1698 (28000): Access denied";
        assert_eq!(reason(mariadb), "ERROR 1698 (28000): Access denied");
        assert_eq!(reason("`psql` can't be started: denied"), "`psql` can't be started: denied");
    }
}
