//! What the SQL storages share: the way of single jobs from state to state, schedules, servers, and all that is read.
//!
//! It is written once, on a [`Session`]. By hand, for each database, is what its speed depends on: enqueueing, claiming,
//! recording successes, promoting; and connections, migrations and signals.

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod attach;
mod begin;
mod change;
mod continuation;
mod expire;
mod heartbeat;
mod monitor;
mod rescue;
mod revoked;
mod rows;
mod schedule;
mod session;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod statistics;
mod storage;
mod stored;
mod templates;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod thread;
mod transition;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod trust;

#[cfg(test)]
pub(super) use self::monitor::List;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use self::stored::stored;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) use self::{
    attach::attach,
    statistics::{SHARDS, count},
    thread::Thread,
    trust::{Trust, answered, returned},
};
pub(super) use self::{
    begin::Begin,
    change::ChangeBatch,
    continuation::release_succeeded,
    expire::Expire,
    heartbeat::{Heartbeat, Retire},
    monitor::{CountJobs, FindJob, FindStates, FindStatistics, FindTotals, ListJobs, ListQueues, ListServers},
    revoked::FindRevoked,
    rows::{Reader, claim},
    schedule::{FindDue, FindSchedule, ListSchedules, WriteSchedules},
    session::{Columns, Param, Query, Session, Verb, Write, params, read},
    storage::{Database, SqlStorage},
    stored::Stored,
    templates::{Dialect, Templates},
    transition::{Expected, apply},
};
#[cfg(feature = "sqlite")]
pub(super) use self::{continuation::release, session::corrupt, templates::pieces};
