use std::path::Path;

use super::{DATABASE, Kind, Url};

/// What can be tried at a server that answers on its usual port: the current user and the usual superuser, both
/// without a password.
pub(crate) fn over_tcp(kind: Kind, user: Option<&str>) -> Vec<Url> {
    users(kind, user).map(|user| Url { host: "127.0.0.1".to_owned(), ..login(kind, user) }).collect()
}

/// The same through a socket, which servers often trust more.
pub(crate) fn over_socket(kind: Kind, user: Option<&str>, socket: &Path) -> Vec<Url> {
    users(kind, user).map(|user| through(socket, login(kind, user))).collect()
}

/// The folders of PostgreSQL's sockets, or the sockets of MySQL.
pub(crate) fn sockets(kind: Kind) -> Vec<&'static Path> {
    let usual: &[&str] = match kind {
        Kind::Postgres => &["/run/postgresql", "/tmp"],
        Kind::Pgbouncer => &[],
        Kind::Mysql => &["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"],
    };
    let is_there = |path: &&Path| match kind {
        Kind::Postgres => path.join(".s.PGSQL.5432").exists(),
        Kind::Pgbouncer | Kind::Mysql => path.exists(),
    };
    usual.iter().map(Path::new).filter(is_there).collect()
}

/// The login that `answering` makes where only a superuser's socket is trusted.
pub(crate) fn of_tests(kind: Kind) -> Url {
    Url { host: "127.0.0.1".to_owned(), ..login(kind, DATABASE) }
}

fn users(kind: Kind, current: Option<&str>) -> impl Iterator<Item = &str> {
    let superuser = match kind {
        Kind::Postgres | Kind::Pgbouncer => "postgres",
        Kind::Mysql => "root",
    };
    current.into_iter().filter(move |user| *user != superuser).chain([superuser])
}

fn login(kind: Kind, user: &str) -> Url {
    Url { scheme: kind.name().to_owned(), user: Some(user.to_owned()), port: Some(kind.port()), ..Url::default() }
}

fn through(socket: &Path, login: Url) -> Url {
    let socket = socket.display();
    match login.scheme.as_str() {
        "postgres" => Url { host: socket.to_string(), ..login },
        _ => Url { host: "localhost".to_owned(), query: format!("socket={socket}"), ..login },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{over_socket, over_tcp};
    use crate::databases::{Kind, Url};

    fn texts(urls: &[Url]) -> Vec<String> {
        urls.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_current_user_and_the_superuser_are_tried_once_each() {
        let tried = over_tcp(Kind::Postgres, Some("ada"));
        assert_eq!(texts(&tried), ["postgres://ada@127.0.0.1:5432/", "postgres://postgres@127.0.0.1:5432/"]);
        assert_eq!(texts(&over_tcp(Kind::Mysql, Some("root"))), ["mysql://root@127.0.0.1:3306/"]);
        assert_eq!(texts(&over_tcp(Kind::Mysql, None)), ["mysql://root@127.0.0.1:3306/"]);
    }

    #[test]
    fn sockets_stand_in_urls_as_sqlx_reads_them() {
        let folder = Path::new("/run/postgresql");
        let tried = over_socket(Kind::Postgres, Some("postgres"), folder);
        assert_eq!(texts(&tried), ["postgres://postgres@%2Frun%2Fpostgresql:5432/"]);
        let tried = over_socket(Kind::Mysql, None, Path::new("/tmp/mysql.sock"));
        assert_eq!(texts(&tried), ["mysql://root@localhost:3306/?socket=/tmp/mysql.sock"]);
    }
}
