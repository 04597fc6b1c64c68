//! Where jobs live: the [`Storage`] trait in the domain's own verbs, its read side [`Monitor`], and the backends.
//!
//! [`connect`] opens a storage by URL. Everything above this module holds an `Arc<dyn Storage>`; no backend's
//! type is seen outside its own folder. Who writes another one finds what it needs in [`backend`].
//!
//! A backend is right when it passes the [`conformance`] suite.

pub mod backend;
mod claim;
mod connect;
mod error;
mod guarded;
mod lock;
pub mod memory;
mod monitor;
#[cfg(feature = "mysql")]
pub mod mysql;
mod new_job;
#[cfg(feature = "postgres")]
pub mod postgres;
mod rescue;
mod run_parameters;
mod schedule;
mod server;
mod signals;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod transaction;
mod write;

#[cfg(feature = "conformance")]
pub mod conformance;

use std::{fmt, time::Duration};

use async_trait::async_trait;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(crate) use self::transaction::sealed;
pub use self::{
    claim::{Claim, ClaimToken, ClaimedJob},
    connect::connect,
    error::{StorageError, StorageResult},
    lock::LockRequest,
    monitor::{
        Count, Counts, InvalidCursor, JobDetails, JobFilter, JobPage, JobSummary, Monitor, PageRequest, Period,
        QueueStatus, ServerStatus, Statistics,
    },
    new_job::{Initial, NewJob},
    rescue::{Rescue, Rescued},
    run_parameters::SetParameterError,
    schedule::{DueCursor, DueSchedules, ScheduleContent, ScheduleWrite, ScheduleWritten, StoredSchedule},
    server::{ServerId, ServerRecord},
    signals::{Signals, Subscription, Topic},
    transaction::{AppTransaction, JobTransaction, OngoingTransaction},
    write::{Change, Changed, Finish, Promotion, Recorded, Turn},
};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use self::{
    connect::{migrate, migrations},
    sql::{JobTx, Migration, TransactionDatabase},
};
pub(crate) use self::{guarded::Guarded, transaction::RunStorage};
use crate::{
    clock::{Clock, Timestamp, after},
    job::{JobId, Parameters},
    state::{Expiry, StateName, Transition},
};

/// The write side of a storage: what clients and servers do to jobs.
///
/// Each verb is one atomic step: when it returns `Ok`, all of it is durable. When it returns an error, it is done
/// whole or not at all, and which of the two may not be known, because the reply can be lost. It may be called again
/// with the same values; what was done already is not undone by that, but not every verb answers the same again:
/// [`claim`](Self::claim) and [`change`](Self::change) say what they do.
///
/// Sets are bounded by their caller, to some thousands of items.
#[async_trait]
pub trait Storage: Monitor + fmt::Debug {
    /// The clock by which this storage's times are written and compared.
    fn clock(&self) -> &Clock;

    /// Wakes those who wait for work, for a due time or for a job's end.
    fn signals(&self) -> &Signals;

    /// What this storage is, for messages: its URL without secrets.
    fn describe(&self) -> String;

    /// How often servers look at this storage when nothing tells them to.
    fn intervals(&self) -> Intervals {
        Intervals::default()
    }

    /// Stores new jobs, all or none. A job whose id is already there is left as it is; one that is to be a schedule's
    /// second job for a slot is left out.
    ///
    /// A job that awaits a parent which is already done with is released or deleted at once.
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()>;

    /// Gives up to `claim.limit` enqueued jobs to a server, which from then on holds them: queues in the order
    /// given, within a queue by falling priority, then by age.
    ///
    /// Called again, it gives other jobs. Those of a lost reply stay held by the server, which learns of them from its
    /// next [`heartbeat`](Self::heartbeat) and gives them back.
    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>>;

    /// Notes that runs of held jobs are about to begin. Servers say so only of jobs that were lost before, so that
    /// of all jobs a dead server held, those that may have killed it are told from those that only waited there.
    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()>;

    /// Replaces what is stored beside a job's arguments, for the delivery that runs it; refused as an outcome would be.
    async fn set_parameters(&self, job: JobId, token: ClaimToken, parameters: Parameters) -> StorageResult<Recorded>;

    /// Records how runs ended, each only if its claim token is still the current one. Answers in the order of
    /// `batch`; [`Recorded`] says what a repeated outcome is answered.
    ///
    /// After [`StorageError::Refused`] a server finds out which of the outcomes can't be stored, and lets that job fail;
    /// after any other error it asks again until there is none.
    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>>;

    /// Both at once, for a server that is busy: in one commit, where the storage can.
    async fn finish_and_claim(&self, batch: Vec<Finish>, claim: Claim) -> Turn {
        let (recorded, claimed) = futures_util::join!(self.finish(batch), self.claim(claim));
        Turn { recorded, claimed }
    }

    /// Moves jobs by hand, each only if it is in an expected state. Answers in the order of `batch`.
    ///
    /// Called again, it finds the jobs where the first call put them, and judges them by that: what was deleted is
    /// [`Refused`](Changed::Refused) as not to be deleted again, and what was requeued is moved once more, to the end
    /// of its queue; or away from the server that claimed it meanwhile.
    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>>;

    /// Puts up to `limit` scheduled jobs whose time has come into their queues, the longest due first.
    async fn promote(&self, limit: usize) -> StorageResult<Promotion>;

    /// Up to `limit` schedules whose time has come, the longest due first, from the beginning or after another.
    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules>;

    /// Changes schedules, each with the jobs it makes, and each only if it is still as it was found. Answers in the
    /// order of `batch`.
    ///
    /// Called again, it finds that the first call has changed them, and answers
    /// [`Conflict`](ScheduleWritten::Conflict).
    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>>;

    /// Says that a server lives, and what it is. Answers with all claims that the server holds, so that it finds
    /// those of which it doesn't know because the reply to its claim was lost.
    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>>;

    /// Takes the jobs of servers that stopped beating away from them, and forgets those servers.
    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>>;

    /// Forgets a server that has shut down; jobs it still holds are found by the next rescue.
    async fn retire(&self, server: &ServerId) -> StorageResult<()>;

    /// Which of these claims no longer hold, because the job was deleted, requeued or rescued.
    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>>;

    /// Gives a lock to the one who asks, if nobody has it or the time is over of who had it; and for longer to the one who
    /// has it. Returns whether that one has it now.
    async fn lock(&self, request: LockRequest) -> StorageResult<bool>;

    /// Takes a lock away from its owner, and returns whether that one had it.
    async fn unlock(&self, name: &str, owner: &str) -> StorageResult<bool>;

    /// Removes up to `limit` jobs whose time has expired, with all that belongs to them; returns how many.
    async fn expire(&self, limit: usize) -> StorageResult<usize>;

    /// Sums up to `limit` parts of counters, where several count for one hour, of hours that are over; returns how many
    /// there were. What [`statistics`](Monitor::statistics) and [`totals`](Monitor::totals) tell is the same after it.
    async fn aggregate_counters(&self, _limit: usize) -> StorageResult<usize> {
        Ok(0)
    }

    /// The database whose transactions can take part in what this storage does, by its name, such as `PostgreSQL`; `None`,
    /// the default, for none: then nobody calls the three verbs below.
    fn database(&self) -> Option<&'static str> {
        None
    }

    /// Stores new jobs, as [`enqueue`](Self::enqueue) does, in a transaction of the application's: they are there when it
    /// is committed, and then those who wait for them are woken.
    ///
    /// After an error, or if the future is dropped before its end, nothing of them is in the transaction, which can go on;
    /// unless the database has ended it, as MySQL does in a deadlock. If the future is dropped at its very end, they may be
    /// in it whole, or the transaction's next statement fails. If it is dropped while MySQL prepares a statement, the driver
    /// can't go on with the connection: then the transaction is to be dropped too.
    async fn enqueue_in(&self, _transaction: OngoingTransaction<'_>, _jobs: Vec<NewJob>) -> StorageResult<()> {
        Err(StorageError::NoTransactions { storage: self.describe() })
    }

    /// Begins a transaction for the handler of a job to write in.
    async fn begin_transaction(&self) -> StorageResult<JobTransaction> {
        Err(StorageError::NoTransactions { storage: self.describe() })
    }

    /// Records how a run ended, as [`finish`](Self::finish) does, in the transaction in which its handler wrote, and
    /// commits both. If the outcome is refused, or there is an error, the transaction is rolled back; unless it was
    /// committed and only the reply is lost. Then a further outcome of the same delivery is refused.
    async fn finish_in(&self, _transaction: JobTransaction, _finish: Finish) -> StorageResult<Recorded> {
        Err(StorageError::NoTransactions { storage: self.describe() })
    }

    /// Ends background work and closes connections, after what was accepted is written.
    async fn close(&self);
}

/// How often servers look at a storage when nothing tells them to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Intervals {
    /// For work in their queues; every second by default.
    pub queue_poll: Duration,
    /// For jobs that have expired; every 60 s by default.
    pub expiration_check: Duration,
    /// For counters to [sum up](Storage::aggregate_counters); every 5 minutes by default.
    pub counters_aggregation: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            queue_poll: Duration::from_secs(1),
            expiration_check: Duration::from_secs(60),
            counters_aggregation: Duration::from_secs(300),
        }
    }
}

/// How long jobs are kept after their last state, by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Retention {
    /// For succeeded jobs; 24 hours by default.
    pub succeeded: Duration,
    /// For deleted jobs; 24 hours by default.
    pub deleted: Duration,
    /// For failed jobs; `None`, the default, keeps them until someone decides.
    pub failed: Option<Duration>,
}

impl Retention {
    /// 24 hours for succeeded and deleted jobs, no end for failed ones.
    pub const DEFAULT: Self =
        Self { succeeded: Duration::from_secs(24 * 3600), deleted: Duration::from_secs(24 * 3600), failed: None };

    /// The same with another time for succeeded jobs.
    #[must_use]
    pub const fn succeeded(mut self, retention: Duration) -> Self {
        self.succeeded = retention;
        self
    }

    /// The same with another time for deleted jobs.
    #[must_use]
    pub const fn deleted(mut self, retention: Duration) -> Self {
        self.deleted = retention;
        self
    }

    /// The same with a time for failed jobs.
    #[must_use]
    pub const fn failed(mut self, retention: Duration) -> Self {
        self.failed = Some(retention);
        self
    }

    /// When a job that enters `state` at `at` expires, if it does.
    #[must_use]
    pub fn expires_at(&self, state: StateName, at: Timestamp) -> Option<Timestamp> {
        let kept = match state {
            StateName::Succeeded => Some(self.succeeded),
            StateName::Deleted => Some(self.deleted),
            StateName::Failed => self.failed,
            _ => None,
        };
        kept.map(|kept| after(at, kept))
    }

    /// When a job that is moved by `transition` expires, if it does.
    #[must_use]
    pub fn expiry(&self, transition: &Transition) -> Option<Timestamp> {
        let (state, at) = (transition.to.name(), transition.at);
        match transition.expiry {
            Expiry::After(kept) if state.has_ended() => Some(after(at, kept)),
            Expiry::Never => None,
            Expiry::Retention | Expiry::After(_) => self.expires_at(state, at),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::DEFAULT
    }
}
