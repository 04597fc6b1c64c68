//! Jobs in MySQL 8.0 or later, or MariaDB 10.6 or later, for many machines.
//!
//! Other processes see what was stored when they look for the newest ticket, several times a second.

mod beside;
mod claim;
mod connection;
mod enqueue;
mod finish;
mod late;
mod options;
mod poll;
mod promote;
mod schema;
mod session;
mod tidy;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::MySqlConnection;
use tokio::runtime::Handle;

pub use self::options::MySqlOptions;
use self::{beside::Beside, late::Late, poll::Tickets};
use super::{
    Claim, ClaimedJob, Finish, Intervals, NewJob, Promotion, Recorded, StorageResult, Turn,
    signals::Effects,
    sql::{
        CommonOptions, Dialect, Query, Verb,
        pooled::{Driver, Shared, Tx, Work},
    },
};

/// What is MySQL's own.
#[derive(Debug)]
pub(crate) struct MySql {
    table_prefix: String,
    tickets: Tickets,
    late: Late,
    beside: Beside,
    /// How much the server takes in one packet.
    packet: AtomicUsize,
}

impl MySql {
    fn new(table_prefix: String) -> Self {
        let (tickets, late, beside) = (Tickets::default(), Late::default(), Beside::default());
        Self { table_prefix, tickets, late, beside, packet: AtomicUsize::new(LEAST_PACKET) }
    }

    /// How many bytes the parameters of a statement may have.
    fn packet(&self) -> usize {
        self.packet.load(Ordering::Relaxed)
    }
}

/// What any server takes in one packet, until it is known what this one does.
const LEAST_PACKET: usize = 1 << 20;

/// How often servers claim when no ticket tells them to.
const SAFETY_INTERVAL: Duration = Duration::from_secs(5);

impl Driver for MySql {
    type Sqlx = sqlx::MySql;

    const THREAD: &'static str = "jobs-mysql";
    const DIALECT: &'static Dialect = &session::DIALECT;

    fn prefix(&self) -> String {
        self.table_prefix.clone()
    }

    /// Who waited for a lock must see what the other wrote.
    fn begin(&self) -> &'static str {
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION"
    }

    fn begin_snapshot(&self) -> &'static str {
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    }

    async fn prepare_schema(&self, options: &CommonOptions, connection: &mut MySqlConnection) -> StorageResult<()> {
        schema::prepare(self, options, connection).await
    }

    fn explain(&self, error: &sqlx::Error) -> Option<String> {
        connection::explain(error)
    }

    fn is_conflict(error: &sqlx::Error) -> bool {
        connection::is_conflict(error)
    }

    fn refuses(error: &sqlx::Error) -> bool {
        connection::refuses(error)
    }

    fn has_ended(error: &sqlx::Error) -> bool {
        connection::has_ended(error)
    }

    async fn time(connection: &mut MySqlConnection) -> sqlx::Result<i64> {
        connection::time(connection).await
    }

    fn start(thread: &Handle, shared: &Arc<Shared<Self>>) {
        poll::start(thread, shared);
        tidy::start(thread, shared);
        late::start(thread, shared);
    }

    /// Others see by the ticket that something was written.
    async fn before_commit(tx: &mut Tx<'_, Self>) -> StorageResult<()> {
        if tx.told.is_none() && tx.effects != Effects::default() {
            tx.ticket().await?;
        }
        Ok(())
    }

    fn begin_job(&self) -> &'static str {
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; SAVEPOINT jobs_run"
    }

    async fn finish_one(tx: &mut Tx<'_, Self>, finish: Finish) -> StorageResult<Vec<Recorded>> {
        finish::FinishBatch(vec![finish]).run(tx).await
    }

    async fn check_open(&self, connection: &mut MySqlConnection) -> sqlx::Result<()> {
        sqlx::raw_sql("RELEASE SAVEPOINT jobs_run").execute(connection).await.map(drop)
    }

    async fn announce_in(tx: &mut Tx<'_, Self>) -> StorageResult<()> {
        late::announce_in(tx).await
    }

    fn queue_poll_interval(&self, set: Intervals) -> Duration {
        set.queue_poll.max(SAFETY_INTERVAL)
    }

    async fn verb<V: Verb>(verb: &V, tx: &mut Tx<'_, Self>) -> StorageResult<V::Answer> {
        verb.run(tx).await
    }

    async fn query<Q: Query>(query: &Q, tx: &mut Tx<'_, Self>) -> StorageResult<Q::Answer> {
        query.run(tx).await
    }

    fn enqueue(jobs: Vec<NewJob>) -> impl Work<Self, Answer = ()> {
        enqueue::Enqueue(jobs)
    }

    fn claim(claim: Claim) -> impl Work<Self, Answer = Vec<ClaimedJob>> {
        claim
    }

    async fn finish(shared: &Shared<Self>, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        shared.run(&finish::FinishBatch(batch)).await
    }

    async fn finish_and_claim(shared: &Shared<Self>, batch: Vec<Finish>, claim: Claim) -> Turn {
        match shared.run(&finish::FinishAndClaim(finish::FinishBatch(batch), claim)).await {
            Ok((recorded, claimed)) => Turn { recorded: Ok(recorded), claimed: Ok(claimed) },
            Err(error) => Turn::failed(error, &shared.url()),
        }
    }

    fn promote(limit: usize) -> impl Work<Self, Answer = Promotion> {
        promote::Promote { limit }
    }
}
