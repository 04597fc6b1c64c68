//! What the SQL storages share: the way of single jobs from state to state, schedules, servers, and all that is read.
//!
//! It is written once, on a [`Session`]. By hand, for each database, is what its speed depends on: enqueueing, claiming,
//! recording successes, promoting; and connections, migrations and signals.

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
mod storage;
mod stored;
mod templates;
mod transition;

#[cfg(test)]
pub(super) use self::monitor::List;
pub(super) use self::{
    begin::Begin,
    change::ChangeBatch,
    continuation::{release, release_succeeded},
    expire::Expire,
    heartbeat::{Heartbeat, Retire},
    monitor::{CountJobs, FindJob, FindStates, FindStatistics, FindTotals, ListJobs, ListQueues, ListServers},
    revoked::FindRevoked,
    rows::{Reader, claim},
    schedule::{FindDue, FindSchedule, ListSchedules, WriteSchedules},
    session::{Columns, Param, Query, Session, Verb, Write, corrupt, read},
    storage::{Database, SqlStorage},
    stored::stored,
    templates::{Dialect, Templates, pieces},
    transition::{Expected, apply},
};
