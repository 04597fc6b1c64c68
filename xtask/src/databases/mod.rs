//! Servers for the tests of those storages that need one.

mod account;
mod answering;
mod choice;
mod client;
mod greeting;
mod install;
mod kind;
mod logins;
#[cfg(unix)]
pub(crate) mod private;
#[cfg(not(unix))]
#[path = "private_elsewhere.rs"]
pub(crate) mod private;
mod program;
mod url;

pub(crate) use self::kind::Kind;
use self::{
    account::Account,
    choice::{Choice, Machine},
    client::ClientError,
    private::Servers,
    url::Url,
};
use crate::storages::Storages;

/// The database that is tests' own. On a server that isn't ours, nothing outside of it is touched.
const DATABASE: &str = "jobs_test";

/// The module of tests that stop and kill servers, within that of the storage.
const PRIVATE_TESTS: &str = "private_server";

/// What tests get. Private servers end when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Databases {
    variables: Vec<(String, String)>,
    left_out: Vec<String>,
    servers: Option<Servers>,
}

impl Databases {
    /// Finds a server for each of these storages, and prints which.
    pub(crate) fn set_up(storages: &Storages, private: bool) -> Result<Self, String> {
        let mut databases = Self::default();
        let machine = ThisMachine { has_pooler: storages.contains(Kind::Pgbouncer.name()) };
        let needs = |kind: &Kind| storages.contains(kind.name()) || *kind == Kind::Postgres && machine.has_pooler;
        for kind in Kind::ALL.into_iter().filter(needs) {
            let set_up = databases.add(&machine, kind, private);
            set_up.map_err(|error| format!("{}: {error}{}", kind.name(), storages.advice_without(kind.name())))?;
        }
        Ok(databases)
    }

    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// The modules of tests for which there is no server.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn add(&mut self, machine: &ThisMachine, kind: Kind, private: bool) -> Result<(), String> {
        let (url, found) = match choice::choose(machine, kind, private)? {
            Choice::Given(url) => (url, format!("given by {}", kind.url_variable())),
            Choice::Answering(url) => {
                let user = url.user.clone().unwrap_or_default();
                (url, format!("found there: user `{user}`, database `{DATABASE}`"))
            }
            Choice::Private(reason) => (self.create(kind)?, format!("a private server ({reason})")),
        };
        let version = version(kind, &url)?;
        self.variables.push((kind.url_variable(), url.to_string()));
        let control = self.add_control(kind)?;
        println!("{}: {version} at {}, {found}; {control}", kind.name(), url.place());
        Ok(())
    }

    /// Tests that stop and kill servers have one each. The answer tells what these are.
    fn add_control(&mut self, kind: Kind) -> Result<String, String> {
        if kind == Kind::Pgbouncer {
            return private::installed(kind).or_else(|_| Ok("in transaction mode, it is taken for granted".to_owned()));
        }
        let (variable, tests) = (kind.control_variable(), format!("{}::{PRIVATE_TESTS}::", kind.name()));
        if given(&variable).is_some() {
            return Ok(format!("for `{tests}` what {variable} makes"));
        }
        match private::installed(kind) {
            Ok(version) => {
                let control = self.servers()?.control(kind)?;
                self.variables.push((variable, control));
                Ok(format!("for `{tests}` {version}"))
            }
            Err(reason) => {
                let told = format!("the tests of `{tests}` are left out, as {reason}");
                self.left_out.push(tests);
                Ok(told)
            }
        }
    }

    fn create(&mut self, kind: Kind) -> Result<Url, String> {
        let behind = match kind {
            Kind::Pgbouncer => self.variable(&Kind::Postgres.url_variable()),
            Kind::Postgres | Kind::Mysql => None,
        };
        let created = self.servers()?.create(kind, behind.as_deref()).and_then(|url| url.parse());
        created.map_err(|error| format!("no private {} could be started: {error}", kind.product()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn servers(&mut self) -> Result<&Servers, String> {
        if self.servers.is_none() {
            self.servers = Some(Servers::new()?);
        }
        self.servers.as_ref().ok_or_else(|| "there is no keeper of servers".to_owned())
    }
}

struct ThisMachine {
    /// Whether there will be a pooler before the server of PostgreSQL.
    has_pooler: bool,
}

impl Machine for ThisMachine {
    fn given(&self, kind: Kind) -> Option<String> {
        given(&kind.url_variable())
    }

    fn answering(&self, kind: Kind) -> Result<Url, String> {
        let url = answering::find(kind)?;
        match kind == Kind::Postgres && self.has_pooler && url.host.starts_with('/') && account::is_root() {
            true => Err(format!("{} is root's, and no pooler's, which can't run as root", url.place())),
            false => Ok(url),
        }
    }

    fn installed(&self, kind: Kind) -> Result<String, String> {
        private::installed(kind)
    }

    fn install(&self, kind: Kind) -> Result<(), String> {
        install::server(kind)
    }
}

fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Logs in, as tests will. Without a client it can only be seen that someone answers.
fn version(kind: Kind, url: &Url) -> Result<String, String> {
    let place = (url.host.as_str(), url.port.unwrap_or(kind.port()));
    let error = match client::version(kind, url) {
        Err(missing @ ClientError::Missing(_)) if greeting::answers(place) => missing,
        asked => return asked.map_err(|error| format!("the server at {} can't be used: {error}", url.place())),
    };
    // MySQL tells everyone.
    let told = if kind == Kind::Mysql { greeting::version(place) } else { None };
    let unknown = || format!("{} of an unknown version ({error})", kind.product());
    Ok(told.map_or_else(unknown, |version| client::mysql_version(&version)))
}
