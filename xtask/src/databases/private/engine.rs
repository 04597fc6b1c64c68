use std::process::Command;

use super::{mysql::Mysql, pgbouncer::Pgbouncer, place::Place, postgres::Postgres};
use crate::databases::{Kind, Url};

/// How an installed database is made to serve.
pub(super) trait Engine: Send {
    /// What is installed, and where, for people.
    fn version(&self) -> Result<String, String>;
    /// Makes the data that a server starts with.
    fn initialize(&self, place: &Place) -> Result<(), String>;
    /// The server, in the foreground.
    fn server(&self, place: &Place) -> Command;
    /// Whether the server that is this process lets clients in.
    fn is_ready(&self, place: &Place, process: u32) -> bool;
    /// A login that may do everything, with the database `jobs_test`.
    fn url(&self, place: &Place) -> Url;
    /// The signal upon which the server ends without waiting for its clients.
    fn stop_signal(&self) -> &'static str;
    /// The signal upon which it ends at once, so that it has to recover when it is started again.
    fn kill_signal(&self) -> &'static str;
}

/// What is installed, or why it can't be used.
pub(super) fn installed(kind: Kind) -> Result<Box<dyn Engine>, String> {
    Ok(match kind {
        Kind::Postgres => Box::new(Postgres::installed()?),
        Kind::Pgbouncer => Box::new(Pgbouncer::installed()?),
        Kind::Mysql => Box::new(Mysql::installed()?),
    })
}
