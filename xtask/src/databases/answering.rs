use std::path::Path;

use super::{Account, DATABASE, Kind, Url, account, client, greeting, logins};

/// A login to the server that answers on the usual port, at a database that tests can use; or why there is none.
pub(crate) fn find(kind: Kind) -> Result<Url, String> {
    if kind == Kind::Pgbouncer {
        return Err("one that runs may be in any mode, and before any server".to_owned());
    }
    let place = format!("127.0.0.1:{}", kind.port());
    let answers = greeting::answers(("127.0.0.1", kind.port()));
    let sockets = logins::sockets(kind);
    // Tests reach MySQL only over TCP: a login through its socket would need a plug-in of their client.
    if !answers && (sockets.is_empty() || kind == Kind::Mysql) {
        return Err(format!("no server answers at {place}"));
    }
    client::find(kind).map_err(|error| format!("the server at {place} can't be used: {error}"))?;
    let mut attempts = Attempts { kind, refusals: Vec::new() };
    let found = attempts.find(answers, &sockets, account::user_name().as_deref());
    found.ok_or_else(|| format!("the server at {place} can't be used: {}", attempts.refusals.join("; ")))
}

struct Attempts {
    kind: Kind,
    refusals: Vec<String>,
}

impl Attempts {
    fn find(&mut self, answers: bool, sockets: &[&Path], user: Option<&str>) -> Option<Url> {
        let kind = self.kind;
        let over_tcp = if answers { logins::over_tcp(kind, user) } else { Vec::new() };
        let through_sockets =
            sockets.iter().flat_map(|socket| logins::over_socket(kind, user, socket)).collect::<Vec<_>>();
        match kind {
            Kind::Postgres | Kind::Pgbouncer => {
                let logins: Vec<Url> = over_tcp.into_iter().chain(through_sockets).collect();
                self.first(logins, postgres).or_else(|| self.of_root(sockets, user?))
            }
            Kind::Mysql => {
                let tests = logins::of_tests(kind);
                self.first(over_tcp.into_iter().chain([tests]).collect(), mysql)
                    .or_else(|| self.first(through_sockets, mysql_account))
            }
        }
    }

    /// The first login with which `prepare` finds or makes the database.
    fn first(&mut self, logins: Vec<Url>, prepare: impl Fn(&Url) -> Result<Url, String>) -> Option<Url> {
        logins.into_iter().find_map(|login| match prepare(&login) {
            Ok(url) => Some(url),
            Err(refusal) => {
                let user = login.user.as_deref().unwrap_or_default();
                self.refusals.push(format!("{user} at {}: {refusal}", login.place()));
                None
            }
        })
    }

    /// On Debian a user of the machine may log in through the socket as the role of the same name. Root has none,
    /// but can become `postgres`, who makes one.
    fn of_root(&mut self, sockets: &[&Path], user: &str) -> Option<Url> {
        let superuser = Account::named("postgres").filter(|_| account::is_root())?;
        let socket = sockets.first()?;
        let as_superuser = logins::over_socket(Kind::Postgres, None, socket).remove(0).with_database("postgres");
        let role = format!("CREATE ROLE \"{user}\" LOGIN CREATEDB");
        match client::execute_as(Some(superuser), Kind::Postgres, &as_superuser, &role) {
            Ok(_) => {
                println!("postgres: made the role `{user}` at {}", socket.display());
                self.first(logins::over_socket(Kind::Postgres, Some(user), socket), postgres)
            }
            Err(error) => {
                self.refusals.push(format!("postgres, to make a role for {user}: {error}"));
                None
            }
        }
    }
}

fn postgres(login: &Url) -> Result<Url, String> {
    let url = login.with_database(DATABASE);
    let execute = |url: &Url, sql: &str| client::execute(Kind::Postgres, url, sql).map_err(|error| error.to_string());
    let may_create = || execute(&url, "SELECT has_database_privilege(current_database(), 'CREATE')");
    let answer = may_create().or_else(|_| {
        // With an encoding of its own: a server that was set up without a locale has none.
        let create = format!("CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'");
        let made = execute(&login.with_database("postgres"), &create);
        // Another run may have been faster.
        may_create().map_err(|error| made.err().unwrap_or(error))
    });
    match answer?.as_str() {
        "t" => Ok(url),
        _ => Err(format!("no schema can be made in the database {DATABASE}")),
    }
}

fn mysql(login: &Url) -> Result<Url, String> {
    // Tests make databases of their own, whose names begin so.
    let probe = format!("{DATABASE}_probe_{}", std::process::id());
    let sql = format!("CREATE DATABASE IF NOT EXISTS {DATABASE}; CREATE DATABASE {probe}; DROP DATABASE {probe}");
    let made = client::execute(Kind::Mysql, login, &sql);
    made.map(|_| login.with_database(DATABASE)).map_err(|error| error.to_string())
}

/// Makes a login that reaches databases of tests and nothing else, and only from this machine; so it needs no
/// password.
fn mysql_account(superuser: &Url) -> Result<Url, String> {
    let hosts = ["localhost", "127.0.0.1"].map(|host| format!("'{DATABASE}'@'{host}'")).join(", ");
    let databases = format!("`{}%`", DATABASE.replace('_', "\\_"));
    let sql = format!("CREATE USER IF NOT EXISTS {hosts}; GRANT ALL ON {databases}.* TO {hosts}");
    client::execute(Kind::Mysql, superuser, &sql).map_err(|error| error.to_string())?;
    println!("mysql: made the user `{DATABASE}` at {}", superuser.place());
    mysql(&logins::of_tests(Kind::Mysql))
}
