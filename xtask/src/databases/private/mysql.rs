use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{engine::Engine, place::Place};
use crate::databases::{DATABASE, Kind, Url, client, greeting, program};

/// The programs of MariaDB or MySQL.
pub(super) struct Mysql {
    server: PathBuf,
    /// What `--version` says.
    version: String,
    /// MySQL's server makes its data itself, MariaDB has a program for it.
    installer: Option<PathBuf>,
}

impl Mysql {
    pub(super) fn installed() -> Result<Self, String> {
        let find = |names: [&str; 2]| names.iter().find_map(|name| program::find(Kind::Mysql, name));
        let server = find(["mariadbd", "mysqld"]).ok_or("`mariadbd` or `mysqld` is not installed")?;
        let version = program::output(Command::new(&server).args(["--no-defaults", "--version"]))?;
        let installer = match version.contains("MariaDB") {
            true => {
                let found = find(["mariadb-install-db", "mysql_install_db"]);
                Some(found.ok_or("`mariadb-install-db` is not installed")?)
            }
            false => None,
        };
        Ok(Self { server, version, installer })
    }

    fn install(&self, place: &Place) -> Command {
        let data = format!("--datadir={}", place.file("data").display());
        match &self.installer {
            Some(installer) => {
                let mut command = self.command(place, installer);
                command.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]).arg(data);
                command
            }
            None => {
                let mut command = self.command(place, &self.server);
                command.args(["--no-defaults", "--initialize-insecure"]).arg(data);
                command
            }
        }
    }

    /// A server that starts removes what looks like left temporary tables, also those of others that run. So each has
    /// a folder for them.
    fn command(&self, place: &Place, program: &Path) -> Command {
        let mut command = place.command(program);
        command.env("TMPDIR", &place.folder);
        command
    }

    /// Its name is the secret, for want of a password that all clients could use: with MySQL's own plug-in a
    /// password needs TLS or RSA, and MariaDB doesn't have that plug-in. The superuser `root` has no password, but
    /// can log in only through the socket, which is in a folder that is closed to others.
    fn user(place: &Place) -> String {
        format!("jobs_{}", place.secret)
    }
}

impl Engine for Mysql {
    fn version(&self) -> Result<String, String> {
        let version = version_number(&self.version).ok_or_else(|| format!("`{}`", self.version))?;
        Ok(format!("{} of {}", client::mysql_version(version), self.server.display()))
    }

    fn initialize(&self, place: &Place) -> Result<(), String> {
        program::output(&mut self.install(place))?;
        place.write("init.sql", &init_sql(&Self::user(place)))?;
        Ok(())
    }

    fn server(&self, place: &Place) -> Command {
        let mut command = self.command(place, &self.server);
        // Without the machine's settings: what is tested is what the database does by itself. So each commit is
        // written to the log before it is told.
        command.arg("--no-defaults");
        for (name, file) in [
            ("datadir", "data"),
            ("socket", "socket"),
            ("pid-file", "pid"),
            ("init-file", "init.sql"),
            // Statements can read and write files only there.
            ("secure-file-priv", "data"),
        ] {
            command.arg(format!("--{name}={}", place.file(file).display()));
        }
        command.arg(format!("--port={}", place.port)).args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
            // Only the disk isn't waited for: a killed server loses nothing that it had written.
            "--loose-innodb-flush-method=nosync",
            "--max-connections=300",
            "--loose-mysqlx=OFF",
        ]);
        command
    }

    fn is_ready(&self, place: &Place, _process: u32) -> bool {
        greeting::version(("127.0.0.1", place.port)).is_some()
    }

    fn url(&self, place: &Place) -> Url {
        Url {
            scheme: "mysql".to_owned(),
            user: Some(Self::user(place)),
            password: None,
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

/// Executed at each start, before clients are let in.
fn init_sql(user: &str) -> String {
    [
        format!("CREATE DATABASE IF NOT EXISTS {DATABASE};"),
        format!("CREATE USER IF NOT EXISTS '{user}'@'127.0.0.1';"),
        format!("GRANT ALL ON *.* TO '{user}'@'127.0.0.1' WITH GRANT OPTION;"),
    ]
    .join("\n")
}

/// Of `mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)`.
fn version_number(printed: &str) -> Option<&str> {
    printed.split_whitespace().skip_while(|word| *word != "Ver").nth(1)
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[test]
    fn the_number_of_a_version_is_found() {
        let mariadb = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
        assert_eq!(version_number(mariadb), Some("10.11.19-MariaDB-0+deb12u1"));
        let mysql = "/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)";
        assert_eq!(version_number(mysql), Some("8.4.3"));
        assert_eq!(version_number("mysqld"), None);
    }
}
