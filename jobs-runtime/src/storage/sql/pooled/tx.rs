use super::{Driver, Shared};
use crate::{clock::Timestamp, storage::signals::Effects};

/// A connection to a database of this kind.
pub(crate) type Connection<D> = <<D as Driver>::Sqlx as sqlx::Database>::Connection;

/// A connection in a transaction.
pub(crate) struct Tx<'c, D: Driver> {
    pub(crate) connection: &'c mut Connection<D>,
    pub(crate) shared: &'c Shared<D>,
    pub(crate) now: Timestamp,
    pub(crate) effects: Effects,
    /// Whether it did already what tells other processes that something was written.
    #[cfg_attr(not(feature = "mysql"), expect(dead_code, reason = "PostgreSQL tells after the commit"))]
    pub(crate) told: bool,
    /// Whether jobs that left another state entered their queues.
    pub(crate) came_back: bool,
}
