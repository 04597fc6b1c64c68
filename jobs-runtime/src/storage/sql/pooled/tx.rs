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
    /// By what other processes see that something was written, if that is in the transaction already: MySQL's ticket, or
    /// the bits of PostgreSQL's notification.
    pub(crate) told: Option<i64>,
    /// Whether jobs that left another state entered their queues.
    pub(crate) came_back: bool,
    /// Which of an hour's rows in the statistics it counts into.
    pub(crate) shard: i64,
    /// Whether it is a transaction of the application's: nobody knows when it ends, and how it is isolated.
    pub(crate) is_app: bool,
}
