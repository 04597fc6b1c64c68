//! What the SQL storages share: the way of single jobs from state to state, schedules, servers, and all that is read.
//!
//! It is written once, on a [`Session`]. By hand, for each database, is what its speed depends on: enqueueing, claiming,
//! recording successes, promoting; and connections, migrations and signals.

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod aggregate;
mod app_transaction;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod attach;
mod begin;
mod change;
mod continuation;
mod expire;
mod heartbeat;
mod job_tx;
mod lock;
mod migrations;
mod monitor;
mod options;
mod parameters;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) mod pooled;
mod rescue;
mod revoked;
mod rows;
mod savepoint;
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

#[cfg(feature = "mysql")]
pub(super) use self::attach::note_awaited;
#[cfg(test)]
pub(super) use self::monitor::List;
#[cfg(feature = "postgres")]
pub(super) use self::options::flag;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) use self::options::number;
#[cfg(feature = "sqlite")]
pub(super) use self::options::time;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) use self::{
    aggregate::SummedUp,
    attach::attach,
    statistics::{SHARDS, count},
    thread::Thread,
};
pub use self::{app_transaction::TransactionDatabase, job_tx::JobTx, migrations::Migration};
pub(super) use self::{
    begin::Begin,
    change::ChangeBatch,
    continuation::release_succeeded,
    expire::Expire,
    heartbeat::{Heartbeat, Retire},
    job_tx::EndedByHandler,
    lock::{ReleaseLock, TakeLock},
    migrations::Migrations,
    monitor::{CountJobs, FindJob, FindStates, FindStatistics, FindTotals, ListJobs, ListQueues, ListServers},
    options::{CommonOptions, Url, common_setters},
    parameters::{SetParameters, set_parameters, success_expires_at},
    revoked::FindRevoked,
    rows::{Reader, claim},
    savepoint::{Savepoint, begin_savepoint},
    schedule::{FindDue, FindSchedule, ListSchedules, WriteSchedules},
    session::{Columns, Param, Query, Session, Verb, Write, params, read},
    storage::{Database, SqlStorage},
    stored::{Stored, stored},
    templates::{Dialect, Templates},
    transition::{Expected, apply},
};
#[cfg(feature = "sqlite")]
pub(super) use self::{continuation::release, templates::pieces};
